"""The public archive: opt-in, never personal, without withdrawn stories, as pages and as a feed."""

import re
from datetime import UTC, datetime, timedelta
from io import BytesIO

import feedparser
import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from PIL import Image

from newsletter.content.images.hosting import host_image
from newsletter.content.ingesting.translated_events import record_event_change
from newsletter.models import Brand, EventNotice, Issue, Publication, Send, Story, Variant
from newsletter.sending.withdraw_story import withdraw_story
from subscribers.models import Segment
from tests.support.desk import sign_in
from tests.support.fixtures import NOW, add_subscribers, make_event, make_issue, make_publication, make_story
from tests.support.protected_terms import protect
from tests.support.sends import start_send

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
    picture.name = "the-courtroom"  # instead of a random one, so that `make_issue` meets the same rows again
    picture.save()
    make_story("The first verdict", picture=picture, **story)
    make_story("The second verdict", days_old=2)
    make_event("A call for everybody", online=True)
    add_subscribers(publication, 1)
    issue = make_issue(publication, approved=True)
    start_send(issue=issue, now=NOW)
    issue.refresh_from_db()
    return issue


@pytest.mark.parametrize("path", ["/news/", "/news/weekly/", "/news/weekly/1/", "/news/weekly/feed.xml"])
def test_a_page_that_a_browser_has_keeps_its_policies(path: str) -> None:
    publish()
    first = Client().get(path)
    assert "Content-Security-Policy" in first.headers
    again = Client().get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.headers.get("Content-Security-Policy")) == (304, None)
    assert again.headers.get("Referrer-Policy") in (None, first.headers["Referrer-Policy"])


def read(path: str) -> str:
    response = Client().get(path)
    assert response.status_code == 200
    return response.content.decode()


def pages(publication: str = "weekly") -> list[str]:
    return [f"/news/{publication}/", f"/news/{publication}/1/", f"/news/{publication}/feed.xml", "/news/"]


@pytest.mark.requirement("V8")
def test_there_is_no_archive_unless_the_publication_opted_in():
    publish(archive=Publication.Archive.OFF)
    assert {Client().get(path).status_code for path in pages()} == {404}


@pytest.mark.requirement("V8")
def test_an_unlisted_archive_has_no_list_no_feed_and_no_index():
    issue = publish(archive=UNLISTED)
    assert {Client().get(path).status_code for path in pages()} == {404}
    page = Client().get(f"/news/weekly/{issue.public_id}/")
    assert page.status_code == 200
    assert page["X-Robots-Tag"] == "noindex"
    assert '<meta name="robots" content="noindex">' in page.content.decode()
    assert page["Referrer-Policy"] == "no-referrer"


@pytest.mark.requirement("V8")
def test_a_public_archive_has_a_list_pages_and_a_feed():
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


@pytest.mark.parametrize("archive", [PUBLIC, UNLISTED])
def test_the_year_of_an_archived_issue_is_above_it(archive):
    """The dates in a mail leave out the year of its day."""
    issue = publish(archive=archive)
    name = "1" if archive == PUBLIC else issue.public_id
    above = read(f"/news/weekly/{name}/").partition("</nav>")[0]
    assert f"<span>{NOW.day} {NOW:%B %Y}</span>" in above


def test_the_day_above_an_issue_is_that_of_its_mail_by_readers_hours():
    """Its send begins the evening before, for the readers whose morning comes first."""
    issue = publish()
    Send.objects.update(local_time="2026-03-05T09:00")
    for path in ("/news/weekly/1/", "/news/weekly/"):
        page = read(path)
        assert "5 March 2026" in page
        assert "4 March 2026" not in page
    feed = feedparser.parse(read("/news/weekly/feed.xml").encode())
    assert datetime(*feed.entries[0].published_parsed[:6], tzinfo=UTC) == NOW.replace(microsecond=0)
    assert issue.due_at > NOW


def test_the_archive_links_to_the_privacy_notice():
    publish()
    Brand.objects.update(privacy_url="https://example.org/privacy/")
    assert '<a href="https://example.org/privacy/">Privacy notice</a>' in read("/news/weekly/")


def test_the_desk_links_to_the_archive_and_its_issues():
    issue = publish()
    desk = sign_in("admin")
    publication = desk.get(f"/admin/publications/edit/{issue.publication_id}/").content.decode()
    assert '/news/weekly/"' in publication
    assert "/news/weekly/feed.xml" in publication
    assert "/news/weekly/1/" in desk.get(f"/admin/issues/{issue.pk}/overview/").content.decode()
    Publication.objects.update(archive="off")
    assert "/news/weekly/" not in desk.get(f"/admin/publications/edit/{issue.publication_id}/").content.decode()
    assert "View in the archive" not in desk.get(f"/admin/issues/{issue.pk}/overview/").content.decode()
    Publication.objects.update(archive="unlisted")
    assert (
        "Each issue has its own web page"
        in desk.get(f"/admin/publications/edit/{issue.publication_id}/").content.decode()
    )
    assert f"/news/weekly/{issue.public_id}/" in desk.get(f"/admin/issues/{issue.pk}/overview/").content.decode()


@pytest.mark.requirement("V8")
@pytest.mark.requirement("V9")
def test_no_page_shows_a_recipients_token_name_or_link():
    publish()
    for path in pages():
        html = read(path)
        assert "__pv_" not in html
        assert "{{" not in html
        assert not re.search(r"/(u|p)/[A-Za-z0-9_-]{20,}", html)
        assert "Reader0" not in html
        assert "person0" not in html
    assert "Dear friend, welcome." in read("/news/weekly/1/")


@pytest.mark.requirement("V7")
def test_nothing_public_names_a_segment():
    publish()
    segment = Segment.objects.create(slug="survivors-of-trafficking", name="Survivors of trafficking", rule={})
    Publication.objects.update(segment=segment)
    variant = Variant.objects.get()
    shown = "".join(map(read, pages())) + variant.html + variant.text + read(f"/view/{variant.public_id}")
    assert "rafficking" not in shown


@pytest.mark.requirement("V5")
def test_a_withdrawn_story_is_gone_from_list_page_and_feed():
    publish()
    story = Story.objects.get(title="The first verdict")
    withdraw_story(story=story, by=User.objects.create_superuser("root"), reason="", now=NOW)
    for path in pages()[:3]:
        html = read(path)
        assert "The first verdict" not in html
        assert story.picture.name not in html
        assert "The second verdict" in html
        assert Client().get(path)["Cache-Control"] in ("public, max-age=30", "max-age=30, public")


def online_pages() -> list[str]:
    """Every public page that shows the issue's events."""
    return [f"/view/{Variant.objects.get().public_id}", "/news/weekly/1/", "/news/weekly/feed.xml"]


def test_an_event_cancelled_after_the_send_says_so_on_each_public_page():
    publish()
    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        assert not any("Cancelled" in read(path) for path in online_pages())
        EventNotice.objects.update(cancelled=True)
        for path in online_pages():
            assert "Cancelled: A call for everybody" in read(path)
        assert "/calendar/" not in read(online_pages()[0])


def test_public_pages_show_the_new_day_of_an_event_that_moved():
    publish()
    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        assert all("11 March" in read(path) for path in online_pages()[:2])
        EventNotice.objects.update(starts_at=NOW + timedelta(days=9))
        for path in online_pages()[:2]:
            page = read(path)
            assert "13 March" in page
            assert "11 March" not in page


def change_event(*, day: int, **values: object) -> None:
    """Change the event as its form, its source and the API do, some days after the issue."""
    event = EventNotice.objects.get()
    for name, value in values.items():
        setattr(event, name, value)
    record_event_change(event, now=NOW + timedelta(days=day))
    event.save()


def test_an_event_that_is_over_stays_as_it_was_announced():
    """Its source may use its row for the next one."""
    publish()
    change_event(day=8, starts_at=NOW + timedelta(days=60))
    with time_machine.travel(NOW + timedelta(days=30), tick=False):
        assert all("11 March" in read(path) for path in online_pages()[:2])


def test_an_event_that_moves_again_shows_its_last_day():
    publish()
    change_event(day=1, starts_at=NOW + timedelta(days=60))
    change_event(day=20, starts_at=NOW + timedelta(days=62))
    change_event(day=21, place_text="Town hall")
    with time_machine.travel(NOW + timedelta(days=30), tick=False):
        for path in online_pages()[:2]:
            page = read(path)
            assert "5 May" in page
            assert "11 March" not in page


@pytest.mark.parametrize(
    ("change", "words"),
    [({"starts_at": NOW + timedelta(days=60)}, "3 May"), ({"cancelled": True}, "Cancelled: A call for everybody")],
    ids=["moved", "cancelled"],
)
def test_a_change_made_in_time_is_still_shown_after_the_announced_day(change, words):
    publish()
    change_event(day=1, **change)
    with time_machine.travel(NOW + timedelta(days=30), tick=False):
        assert all(words in read(path) for path in online_pages()[:2])


def test_an_issue_whose_event_moved_to_a_protected_place_is_nowhere():
    publish()
    EventNotice.objects.update(place_text="The safe house", changed_at=NOW)
    protect("safe house")
    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        assert Client().get("/news/weekly/1/").status_code == 404
        assert "/news/weekly/1/" not in read("/news/weekly/")
        assert "<item>" not in read("/news/weekly/feed.xml")


@pytest.mark.requirement("V1")
def test_a_story_for_email_only_is_not_in_the_archive():
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


def test_a_story_restricted_in_a_region_is_not_in_the_archive():
    publish(not_in_regions=["US-TX"])
    assert not any("The first verdict" in read(path) for path in pages())


@pytest.mark.requirement("V6")
def test_an_embargoed_story_is_on_no_page_and_in_no_feed():
    publish()
    Story.objects.filter(title="The first verdict").update(embargo_until=NOW)
    with time_machine.travel(NOW - timedelta(seconds=1), tick=False):
        assert not any("The first verdict" in read(path) for path in pages())
    with time_machine.travel(NOW, tick=False):
        assert all("The first verdict" in read(path) for path in pages()[:3])


def test_unsent_cancelled_and_removed_issues_are_not_archived():
    issue = publish()
    for changes in ({"state": "draft"}, {"state": "cancelled"}, {"state": "sent", "in_archive": False}):
        Issue.objects.filter(pk=issue.pk).update(**{"in_archive": True, **changes})
        assert Client().get("/news/weekly/1/").status_code == 404
        assert "no issue yet" in read("/news/weekly/")
    Issue.objects.update(in_archive=True)
    Send.objects.update(state="cancelled")
    assert Client().get("/news/weekly/1/").status_code == 404


@pytest.mark.parametrize("name", ["2", "99999999999999999999", "one", "0"])
def test_a_missing_issue_is_not_found(name):
    publish()
    assert Client().get(f"/news/weekly/{name}/").status_code == 404


def test_an_unchanged_page_is_not_sent_again():
    publish()
    for path in pages():
        etag = Client().get(path)["ETag"]
        assert Client().get(path, headers={"if-none-match": etag}).status_code == 304


@pytest.mark.requirement("P12")
def test_pages_load_nothing_from_elsewhere_and_run_nothing():
    publish()
    for path in pages()[:2]:
        response = Client().get(path)
        assert "default-src 'none'" in response["Content-Security-Policy"]
        html = response.content.decode()
        assert "<script" not in html
        sources = re.findall(r'(?:src|srcset)="([^"]+)"', html)
        assert all(source.startswith(("/", "http://127.0.0.1:8000/")) for source in sources)


def test_the_first_link_of_an_archived_issue_leads_to_its_text():
    publish()
    page = read(pages()[1])
    first = page[page.index("<a ") :].split("</a>")[0]
    assert first == '<a class="nl-skip" href="#nl-content">Skip to the content'
    assert page.index('<main id="nl-content">') > page.index("nl-archive")


@pytest.mark.parametrize("path", ["/news/", "/news/weekly/"])
def test_the_first_link_of_an_archive_page_leads_to_its_content(path: str):
    publish()
    page = read(path)
    first = page[page.index("<a ") :].split("</a>")[0]
    assert first == '<a class="skip" href="#content">Skip to the content'
    assert '<main id="content">' in page
