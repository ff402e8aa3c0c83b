"""WordPress sites of every kind are read: plain permalinks, folders, post types, closed REST interfaces."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from newsletter.content.ingesting.ingest import IngestReport, ingest_source
from newsletter.models import Source, Story
from tests.support.fixtures import NOW
from tests.support.process_caches import clear_wordpress_roots
from tests.support.wordpress import WordPress, serve_wordpress

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def no_memory() -> None:
    clear_wordpress_roots()


@pytest.fixture
def blog() -> Iterator[WordPress]:
    with serve_wordpress() as served:
        yield served


def read(url: str, *, hours: int = 0, **changes: Any) -> IngestReport:
    source, _ = Source.objects.get_or_create(name="Blog", defaults={"kind": "wordpress", "url": url, **changes})
    return ingest_source(source=source, now=NOW + hours * HOUR)


@pytest.mark.parametrize("folder", ["/", "/blog/", "/en/news/"])
@pytest.mark.parametrize("permalinks", [True, False])
def test_a_site_is_read_with_and_without_permalinks_in_any_folder(folder, permalinks):
    with serve_wordpress(folder=folder, permalinks=permalinks) as blog:
        blog.add(7, "The first verdict")
        report = read(blog.home.rstrip("/"))
        again = read(blog.home, hours=1)
    assert (report.new, report.error, report.set_aside) == (1, "", [])
    assert (again.unchanged, again.error) == (1, "")
    assert Story.objects.get().url == blog.link(blog.posts[7])


def test_a_page_of_the_site_is_enough_to_find_its_rest_address():
    with serve_wordpress(folder="/cms/") as blog:
        blog.add(7, "The first verdict")
        inner = blog.answer
        front = (
            200,
            {"Content-Type": "text/html", "Link": f'<{blog.home}wp-json/>; rel="https://api.w.org/"'},
            b"Home",
        )
        blog.answer = lambda target: front if target == "/" else inner(target)
        assert read(blog.host + "/").new == 1


def test_only_the_post_type_of_the_address_given_is_read(blog):
    blog.add(1, "A post")
    blog.add(2, "A campaign", kind="campaigns")
    blog.add(3, "A page", kind="pages")
    assert read(blog.home + "wp-json/wp/v2/campaigns").new == 1
    assert [story.title for story in Story.objects.all()] == ["A campaign"]


def test_a_post_type_is_read_by_its_plain_address_too():
    with serve_wordpress(permalinks=False) as blog:
        blog.add(1, "A post")
        blog.add(3, "A page", kind="pages")
        assert read(blog.home + "?rest_route=/wp/v2/pages").new == 1
    assert [story.title for story in Story.objects.all()] == ["A page"]


def test_a_sticky_post_keeps_its_place_by_date(blog):
    blog.add(1, "Old and sticky", sticky=True, day="2026-02-01T10:00:00")
    blog.add(2, "New")
    read(blog.home)
    assert [story.title for story in Story.objects.all()] == ["New", "Old and sticky"]


@pytest.mark.parametrize("rest", ["closed", "off"])
def test_a_closed_rest_interface_is_replaced_by_the_feed(blog, rest):
    blog.rest = rest
    blog.add(7, "The first verdict")
    report = read(blog.home)
    assert (report.new, report.error) == (1, "")
    assert "the feed was read instead" in report.set_aside[0].reason
    assert Story.objects.get().external_id == "7"


def test_a_rest_interface_that_reopens_adds_no_story_twice(blog):
    blog.rest = "closed"
    blog.add(7, "The first verdict")
    read(blog.home)
    blog.rest = "open"
    report = read(blog.home, hours=1)
    assert (report.new, Story.objects.count()) == (0, 1)


def test_a_closed_post_type_is_not_replaced_by_the_feed_of_all_posts(blog):
    blog.rest = "closed"
    blog.add(1, "A post")
    assert "401" in read(blog.home + "wp-json/wp/v2/campaigns").error
    assert not Story.objects.exists()


def test_a_failing_site_is_not_replaced_by_its_feed(blog):
    blog.add(1, "A post")
    blog.answer = lambda target: (503, {}, b"")
    assert "503" in read(blog.home).error


def test_a_post_that_was_saved_without_a_change_is_unchanged(blog):
    post = blog.add(1, "The first verdict")
    read(blog.home)
    post.modified = "2026-03-04T08:00:00"
    report = read(blog.home, hours=1)
    assert (report.updated, report.unchanged) == (0, 1)


def test_an_edited_post_is_updated(blog):
    post = blog.add(1, "The first verdict")
    read(blog.home)
    post.text = "It was upheld."
    assert read(blog.home, hours=1).updated == 1


def test_more_posts_than_one_page_holds_are_read_once_each(blog):
    for number in range(1, 46):
        blog.add(number, f"Post {number}", day=f"2026-02-{number % 27 + 1:02}T10:00:00")
    assert read(blog.home).new == 45
    blog.most_per_page = 10
    report = read(blog.home, hours=1)
    assert (report.new, report.unchanged, report.set_aside) == (0, 45, [])


def test_posts_that_are_not_read_for_their_number_are_named(blog):
    for number in range(1, 102):
        blog.add(number, f"Post {number}", day=f"2026-02-{number % 27 + 1:02}T10:00:00")
    report = read(blog.home)
    (aside,) = report.set_aside
    assert (report.new, report.error) == (100, "")
    assert aside.entry == "Older posts"
    assert "first 5 pages" in aside.reason


def test_a_protected_post_is_stored_neither_by_rest_nor_by_feed(blog):
    blog.add(1, "A secret", password="x")
    report = read(blog.home)
    assert "password" in report.set_aside[0].reason
    feed = Source.objects.create(name="Feed", kind="feed", url=blog.home + "feed/")
    page = Source.objects.create(name="Page", kind="page", url=blog.link(blog.posts[1]))
    assert "password" in ingest_source(source=feed, now=NOW).set_aside[0].reason
    assert "password" in ingest_source(source=page, now=NOW).set_aside[0].reason
    assert not Story.objects.exists()


def test_a_post_protected_later_is_also_removed_by_its_feed(blog):
    blog.add(1, "A secret")
    source = Source.objects.create(name="Feed", kind="feed", url=blog.home + "feed/", language="en")
    ingest_source(source=source, now=NOW)
    blog.posts[1].password = "x"
    blog.add(2, "Another", day="2026-03-03T10:00:00")
    ingest_source(source=source, now=NOW + HOUR)
    assert Story.objects.get(title="A secret").gone_code == "protected"
