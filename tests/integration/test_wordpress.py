"""Stories of a real WordPress are read, edited, withdrawn and moved."""

import re
from collections.abc import Callable

import pytest
from PIL import Image

from tests.integration.organisation import Organisation
from tests.integration.wordpress import WordPress

TEXT = "<p>The bridge opened on Monday. Children now walk to school without a boat.</p>"
OTHER = "<p>The well was repaired last week. Forty households share it again.</p>"

WITHDRAWALS = {
    "trashed": lambda site, post: site.do("trash", ID=post),
    "deleted": lambda site, post: site.do("delete", ID=post),
    "private": lambda site, post: site.change(post, post_status="private"),
    "draft again": lambda site, post: site.change(post, post_status="draft"),
    "protected by a password": lambda site, post: site.change(post, post_password="let me in"),
}


@pytest.fixture
def two_posts(wordpress: WordPress, organisation: Organisation) -> tuple[int, int]:
    posts = wordpress.publish("A new bridge", TEXT), wordpress.publish("The well works", OTHER)
    organisation.add_source("Stories", kind="wordpress", url=wordpress.url)
    return posts


def test_posts_become_stories_with_their_pictures(two_posts, wordpress, organisation, tmp_path):
    file = tmp_path / "picture.jpg"
    Image.effect_noise((1600, 1000), 60).convert("RGB").save(file)
    wordpress.do("picture", post=two_posts[0], file=str(file), alt="A wooden bridge")
    assert organisation.ingest_well()["Stories"]["new"] == 2
    rows = organisation.install.query(
        "SELECT title, teaser, picture_alt, picture_id IS NOT NULL FROM newsletter_story ORDER BY title"
    )
    assert rows[0][:2] == ("A new bridge", "The bridge opened on Monday. Children now walk to school without a boat.")
    assert rows[0][2:] == ("A wooden bridge", 1)
    assert rows[1][0] == "The well works"


def test_an_edited_post_updates_its_story_and_others_stay(two_posts, wordpress, organisation):
    organisation.ingest_well()
    wordpress.change(two_posts[0], post_title="The new bridge is open")
    report = organisation.ingest_well()["Stories"]
    assert (report["new"], report["updated"]) == (0, 1)
    assert organisation.story_titles() == {"The new bridge is open", "The well works"}


def test_saving_a_post_unchanged_is_not_an_update(two_posts, wordpress, organisation):
    organisation.ingest_well()
    wordpress.change(two_posts[0], post_title="A new bridge")
    assert organisation.ingest_well()["Stories"]["updated"] == 0


@pytest.mark.parametrize("how", WITHDRAWALS)
def test_a_withdrawn_post_is_in_no_issue(two_posts, wordpress, organisation, how):
    organisation.ingest_well()
    WITHDRAWALS[how](wordpress, two_posts[0])
    organisation.ingest_well()
    assert organisation.assemble()["state"] == "assembled"
    organisation.approve()
    assert organisation.send_now() == 0
    assert "The well works" in organisation.mailed_text()
    assert "bridge" not in organisation.mailed_text()


@pytest.mark.parametrize("how", WITHDRAWALS)
def test_a_post_withdrawn_after_approval_stops_the_send(two_posts, wordpress, organisation, how):
    organisation.ingest_well()
    organisation.assemble()
    organisation.approve()
    WITHDRAWALS[how](wordpress, two_posts[0])
    assert "bridge" in organisation.send_refusal()
    assert organisation.mailed_text() == ""


def test_a_post_restored_from_the_trash_comes_back(two_posts, wordpress, organisation):
    organisation.ingest_well()
    wordpress.do("trash", ID=two_posts[0])
    organisation.ingest_well()
    wordpress.do("restore", ID=two_posts[0])
    organisation.ingest_well()
    organisation.assemble()
    organisation.approve()
    assert organisation.send_now() == 0
    assert "A new bridge" in organisation.mailed_text()


@pytest.mark.parametrize(("kind", "path"), [("wordpress", ""), ("feed", "/feed/")])
def test_a_protected_post_is_never_stored(wordpress, organisation, kind, path):
    wordpress.publish("For members", TEXT, post_password="let me in")
    wordpress.publish("The well works", OTHER)
    organisation.add_source("Stories", kind=kind, url=wordpress.url + path)
    organisation.ingest_well()
    assert organisation.story_titles() == {"The well works"}


def test_a_protected_page_is_never_stored(wordpress, organisation):
    post = wordpress.publish("For members", TEXT, post_password="let me in")
    organisation.add_source("One page", kind="page", url=wordpress.address(post))
    organisation.ingest()
    assert organisation.story_titles() == set()


def test_a_post_in_feed_rest_and_page_is_one_story(two_posts, wordpress, organisation):
    organisation.add_source("Feed", kind="feed", url=wordpress.url + "/feed/")
    organisation.add_source("Page", kind="page", url=wordpress.address(two_posts[0]))
    organisation.ingest_well()
    organisation.assemble()
    organisation.approve()
    assert organisation.send_now() == 0
    assert organisation.install.query("SELECT COUNT(*) FROM newsletter_story") == [(2,)]
    # The line under the title of the letter names the story too, if the other one was published in a later second.
    assert len(re.findall("<h[1-6][^>]*>(?:<a [^>]*>)?A new bridge<", organisation.mailed_text())) == 1


def test_a_post_that_moves_to_another_address_stays_one_story(two_posts, wordpress, organisation):
    organisation.ingest_well()
    wordpress.change(two_posts[0], post_name="the-bridge")
    report = organisation.ingest_well()["Stories"]
    assert report["new"] == 0
    urls = organisation.install.query("SELECT url FROM newsletter_story WHERE title = 'A new bridge'")
    assert urls == [(wordpress.address(two_posts[0]),)]


@pytest.mark.parametrize(("kind", "path"), [("wordpress", "/"), ("feed", "/?feed=rss2")])
def test_plain_permalinks_are_read(new_wordpress: Callable[..., WordPress], organisation, kind, path):
    site = new_wordpress(permalinks="")
    site.publish("A new bridge", TEXT)
    organisation.add_source("Stories", kind=kind, url=site.url + path)
    assert organisation.ingest_well()["Stories"]["new"] == 1


def test_a_wordpress_in_a_sub_folder_is_read(new_wordpress: Callable[..., WordPress], organisation):
    site = new_wordpress(folder="/news")
    post = site.publish("A new bridge", TEXT)
    organisation.add_source("Stories", kind="wordpress", url=site.url)
    assert organisation.ingest_well()["Stories"]["new"] == 1
    site.do("trash", ID=post)
    organisation.ingest_well()
    assert organisation.assemble()["state"] == "skipped"


def test_a_custom_post_type_is_read_only_by_its_own_address(wordpress, organisation):
    wordpress.publish("A field story", TEXT, post_type="field_story")
    wordpress.publish("The well works", OTHER)
    organisation.add_source("Stories", kind="wordpress", url=wordpress.url)
    organisation.ingest_well()
    assert organisation.story_titles() == {"The well works"}
    own = f"{wordpress.url}/wp-json/wp/v2/field-stories"
    organisation.add_source("Field stories", kind="wordpress", url=own)
    organisation.ingest_well()
    assert organisation.story_titles() == {"The well works", "A field story"}


def test_an_old_sticky_post_is_not_news(two_posts, wordpress, organisation):
    old = wordpress.publish("Ten years of work", TEXT, post_date="2016-01-05 10:00:00")
    wordpress.do("stick", ID=old)
    organisation.ingest_well()
    organisation.assemble()
    organisation.approve()
    assert organisation.send_now() == 0
    assert "Ten years of work" not in organisation.mailed_text()
