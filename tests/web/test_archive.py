"""The public archive: opt-in, never personal, without withdrawn stories, as a page and as a feed. V6, V7, V8."""

import re
from datetime import timedelta
from io import BytesIO

import feedparser
import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from PIL import Image

from newsletter.content.images.hosting import host_image
from newsletter.models import Issue, Publication, Send, Story, Variant
from newsletter.sending.freezing.start import start_send
from newsletter.sending.limits.withdraw import withdraw_story
from subscribers.models import Segment
from tests.support.fixtures import NOW, add_subscribers, make_event, make_issue, make_publication, make_story
from tests.web.desk import sign_in

pytestmark = pytest.mark.django_db

PUBLIC = Publication.Archive.PUBLIC
UNLISTED = Publication.Archive.UNLISTED


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


def publish(*, archive: str = PUBLIC, **story) -> Issue:
    """An issue that went out to one reader, with a greeting, a story, an event and a second story."""
    publication = make_publication(archive=archive, intro='Dear {{ first_name | default:"friend" }}, welcome.')
    publication.mailing_list.public = True
    publication.mailing_list.save()
    data = BytesIO()
    Image.new("RGB", (800, 450), (40, 90, 80)).save(data, "JPEG")
    picture = host_image(data=data.getvalue(), source_url="https://example.org/lead.jpg", alt="A courtroom")
    make_story("The first verdict", picture=picture, **story)
    make_story("The second verdict", days_old=2)
    make_event("A call for everybody", online=True)
    add_subscribers(publication, 1)
    issue = make_issue(publication, approved=True)
    start_send(issue=issue, now=NOW)
    issue.refresh_from_db()
    return issue


def read(path: str) -> str:
    response = Client().get(path)
    assert response.status_code == 200
    return response.content.decode()


def pages(publication: str = "weekly") -> list[str]:
    return [f"/news/{publication}/", f"/news/{publication}/1/", f"/news/{publication}/feed.xml", "/news/"]


def test_v8_there_is_no_archive_unless_the_publication_opted_in():
    publish(archive=Publication.Archive.OFF)
    assert {Client().get(path).status_code for path in pages()} == {404}


def test_v8_an_archive_for_those_who_have_the_link_has_no_list_no_feed_and_asks_not_to_be_indexed():
    issue = publish(archive=UNLISTED)
    assert {Client().get(path).status_code for path in pages()} == {404}
    page = Client().get(f"/news/weekly/{issue.public_id}/")
    assert page.status_code == 200
    assert page["X-Robots-Tag"] == "noindex"
    assert '<meta name="robots" content="noindex">' in page.content.decode()
    assert page["Referrer-Policy"] == "no-referrer"


def test_v8_an_archive_for_everybody_has_a_list_pages_and_a_feed():
    publish()
    assert 'href="/news/weekly/1/"' in read("/news/weekly/")
    assert "The weekly letter" in read("/news/")
    page = read("/news/weekly/1/")
    assert "<title>The first verdict</title>" in page
    assert '<link rel="canonical" href="http://127.0.0.1:8000/news/weekly/1/">' in page
    assert "A call for everybody" in page
    feed = feedparser.parse(read("/news/weekly/feed.xml").encode())
    assert not feed.bozo
    assert [(entry.title, entry.link) for entry in feed.entries] == [
        ("The first verdict", "http://127.0.0.1:8000/news/weekly/1/")
    ]
    assert "The second verdict" in feed.entries[0].summary


def test_the_desk_leads_to_the_archive_of_a_publication_and_to_the_page_of_an_issue_in_it():
    issue = publish()
    desk = sign_in("admin")
    publication = desk.get(f"/admin/publications/edit/{issue.publication_id}/").content.decode()
    assert '/news/weekly/"' in publication
    assert "/news/weekly/feed.xml" in publication
    assert "/news/weekly/1/" in desk.get(f"/admin/issues/{issue.pk}/overview/").content.decode()
    Publication.objects.update(archive="off")
    assert "/news/weekly/" not in desk.get(f"/admin/publications/edit/{issue.publication_id}/").content.decode()
    assert "In the archive" not in desk.get(f"/admin/issues/{issue.pk}/overview/").content.decode()
    Publication.objects.update(archive="unlisted")
    assert "a page of its own" in desk.get(f"/admin/publications/edit/{issue.publication_id}/").content.decode()
    assert f"/news/weekly/{issue.public_id}/" in desk.get(f"/admin/issues/{issue.pk}/overview/").content.decode()


def test_v8_v9_no_page_shows_a_token_a_name_or_a_link_of_the_reader():
    publish()
    for path in pages():
        html = read(path)
        assert "__pv_" not in html
        assert "{{" not in html
        assert not re.search(r"/(u|p)/[A-Za-z0-9_-]{20,}", html)
        assert "Reader0" not in html
        assert "person0" not in html
    assert "Dear friend, welcome." in read("/news/weekly/1/")


def test_v7_nothing_public_names_a_segment():
    publish()
    segment = Segment.objects.create(slug="survivors-of-trafficking", name="Survivors of trafficking", rule={})
    Publication.objects.update(segment=segment)
    variant = Variant.objects.get()
    shown = "".join(map(read, pages())) + variant.html + variant.text + read(f"/view/{variant.public_id}")
    assert "rafficking" not in shown


def test_v5_a_withdrawn_story_is_gone_from_list_page_and_feed_and_the_next_one_leads():
    publish()
    story = Story.objects.get(title="The first verdict")
    withdraw_story(story=story, by=User.objects.create_superuser("root"), reason="", now=NOW)
    for path in pages()[:3]:
        html = read(path)
        assert "The first verdict" not in html
        assert story.picture.name not in html
        assert "The second verdict" in html
        assert Client().get(path)["Cache-Control"] in ("public, max-age=30", "max-age=30, public")


def test_v1_a_story_that_is_agreed_to_for_email_alone_is_in_the_mail_and_not_in_the_archive():
    consent = {
        "consent_needed": True,
        "consent_channels": ["email"],
        "consent_given_by": "self",
        "consent_given_on": NOW.date(),
        "consent_form_holder": "The casework team",
    }
    publish(**consent)
    assert "The first verdict" in Variant.objects.get().html
    assert not any("The first verdict" in read(path) for path in pages())


def test_a_story_that_must_not_reach_a_region_is_not_where_everybody_can_read_it():
    publish(not_in_regions=["US-TX"])
    assert not any("The first verdict" in read(path) for path in pages())


def test_v6_before_the_end_of_an_embargo_no_page_and_no_feed_has_the_story():
    publish()
    Story.objects.filter(title="The first verdict").update(embargo_until=NOW)
    with time_machine.travel(NOW - timedelta(seconds=1), tick=False):
        assert not any("The first verdict" in read(path) for path in pages())
    with time_machine.travel(NOW, tick=False):
        assert all("The first verdict" in read(path) for path in pages()[:3])


def test_issues_that_did_not_go_out_were_cancelled_or_taken_out_of_the_archive_are_not_in_it():
    issue = publish()
    for changes in ({"state": "draft"}, {"state": "cancelled"}, {"state": "sent", "in_archive": False}):
        Issue.objects.filter(pk=issue.pk).update(**{"in_archive": True, **changes})
        assert Client().get("/news/weekly/1/").status_code == 404
        assert "no issue yet" in read("/news/weekly/")
    Issue.objects.update(in_archive=True)
    Send.objects.update(state="cancelled")
    assert Client().get("/news/weekly/1/").status_code == 404


@pytest.mark.parametrize("name", ["2", "99999999999999999999", "one", "0"])
def test_an_issue_that_is_not_there_is_not_found(name):
    publish()
    assert Client().get(f"/news/weekly/{name}/").status_code == 404


def test_a_page_that_did_not_change_is_not_sent_again():
    publish()
    for path in pages():
        etag = Client().get(path)["ETag"]
        assert Client().get(path, headers={"if-none-match": etag}).status_code == 304


def test_p12_pages_load_nothing_from_elsewhere_and_run_nothing():
    publish()
    for path in pages()[:2]:
        response = Client().get(path)
        assert "default-src 'none'" in response["Content-Security-Policy"]
        html = response.content.decode()
        assert "<script" not in html
        sources = re.findall(r'(?:src|srcset)="([^"]+)"', html)
        assert all(source.startswith(("/", "http://127.0.0.1:8000/")) for source in sources)
