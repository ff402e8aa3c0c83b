"""The API's calls about stories, events, appeals and sources."""

from collections.abc import Iterator
from typing import Any

import pytest
from wagtail.models import ModelLogEntry

from newsletter.content.ingesting.apis.source_keys import open_key, seal_key
from newsletter.content.ingesting.settle_source import TypedSource, settle_source
from newsletter.models import Appeal, EventNotice, Publication, Source, Story
from subscribers.models import EventKind, OutboundEvent
from tests.support.api import call, create_key, problem
from tests.support.feed_items import make_feed_item
from tests.support.fixtures import add_subscribers, make_issue, make_source, make_story
from tests.support.people import make_list
from tests.support.web_site import Site, serve_site
from tests.support.webhooks import make_endpoint

pytestmark = pytest.mark.django_db
ALL = "content:read content:write"
STORY = {"title": "A night at the clinic", "url": "https://example.org/stories/night/"}


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as site:
        yield site


def test_a_story_that_is_written_here_is_not_overwritten_by_a_source() -> None:
    key = create_key(ALL)
    story = call("post", "stories", STORY, key=key).json()
    assert set(story["edited_fields"]) == {"title", "url", "published_at"}
    row = Story.objects.get(pk=story["id"])
    row.set_source_values({"title": "Other", "author": "Desk"})
    assert (row.title, row.author) == ("A night at the clinic", "Desk")
    changed = call("patch", f"stories/{row.pk}", {"teaser": "Two nurses."}, key=key).json()
    assert "teaser" in changed["edited_fields"]


def test_a_story_about_a_person_waits_for_consent_in_the_desk() -> None:
    key = create_key(ALL)
    story = call("post", "stories", {**STORY, "consent_needed": True}, key=key).json()
    assert Story.objects.get().consent_needed
    for field in ("consent_needed", "embargo_until", "pseudonyms", "withdrawn_at"):
        problem(call("patch", f"stories/{story['id']}", {field: None}, key=key), 422)
    assert Story.objects.get().consent_needed


@pytest.mark.parametrize(
    "bad", [{"url": ""}, {"text": "All of it"}, {"url": "no address"}, {"title": ""}, {"topics": ["no"]}]
)
def test_a_story_that_cannot_be_used_is_refused(bad: dict[str, object]) -> None:
    assert call("post", "stories", {**STORY, **bad}, key=create_key(ALL)).status_code in (404, 422)
    assert not Story.objects.exists()


@pytest.mark.requirement("G5")
def test_a_story_of_an_approved_issue_does_not_change(publication: Publication) -> None:
    story = make_story("The clinic opens")
    add_subscribers(publication, 2)
    issue = make_issue(publication, approved=True)
    answer = call("patch", f"stories/{story.pk}", {"title": "Other"}, key=create_key(ALL))
    assert issue.reference in problem(answer, 409)
    story.refresh_from_db()
    assert story.title == "The clinic opens"


def test_other_systems_hear_of_a_story_and_an_event_from_the_api() -> None:
    make_endpoint()
    key = create_key(ALL, name="Web site")
    call("post", "stories", STORY, key=key)
    call("post", "events", {"title": "Open day", "starts_at": "2027-01-01T10:00:00Z"}, key=key)
    events = OutboundEvent.objects.order_by("pk")
    assert [(one.kind, one.origin) for one in events] == [
        (EventKind.STORY_NEW, "api:Web site"),
        (EventKind.EVENT_NEW, "api:Web site"),
    ]


def test_an_event_is_located_by_its_town() -> None:
    key = create_key(ALL)
    values = {"title": "Open day", "starts_at": "2027-01-01T10:00:00Z", "town": "Leeds", "country": "GB"}
    event = call("post", "events", values, key=key).json()
    assert (event["located"], event["region"], event["zone"]) == (True, "GB-ENG", "Europe/London")
    moved = call("patch", f"events/{event['id']}", {"town": "York"}, key=key).json()
    assert (moved["town"], moved["located"]) == ("York", True)
    assert EventNotice.objects.get().changed_at is not None
    unknown = call("patch", f"events/{event['id']}", {"town": "Nowhere at all"}, key=key).json()
    assert unknown["located"] is False
    problem(call("patch", f"events/{event['id']}", {"ends_at": "2026-01-01T10:00:00Z"}, key=key), 422)
    problem(call("post", "events", {**values, "zone": "Mars/Base"}, key=key), 422)


def test_an_appeal_is_written_and_taken_out_of_use(publication: Publication) -> None:
    key = create_key(ALL)
    values = {
        "headline": "Give monthly",
        "link": "https://example.org/give/",
        "button": "Give",
        "publications": ["weekly"],
    }
    made = call("post", "appeals", values, key=key).json()
    assert (made["slug"], made["publications"]) == ("give-monthly", ["weekly"])
    assert call("patch", "appeals/give-monthly", {"enabled": False}, key=key).json()["enabled"] is False
    days = {"first_day": "2027-01-02", "last_day": "2027-01-01"}
    assert "last day" in problem(call("patch", "appeals/give-monthly", days, key=key), 422)
    assert Appeal.objects.get().last_day is None


def test_a_key_of_other_lists_names_no_publication_in_an_appeal(publication: Publication) -> None:
    key = create_key(ALL, lists=[make_list("board")])
    values = {"headline": "Give", "link": "https://example.org/give/", "button": "Give", "publications": ["weekly"]}
    problem(call("post", "appeals", values, key=key), 404)


def test_a_source_is_read_at_once(site: Site) -> None:
    items = make_feed_item(site, "one", "The first verdict")
    feed = f'<rss version="2.0"><channel><title>News</title>{items}</channel></rss>'
    url = site.put("/feed.xml", feed, Content_Type="application/rss+xml")
    source, key = make_source(url=url), create_key(ALL)
    assert call("post", f"sources/{source.pk}/look", key=key).json()["new"] == 1
    assert Story.objects.get().title == "The first verdict"
    site.put("/feed.xml", "gone", status=500)
    assert "500" in call("post", f"sources/{source.pk}/look", key=key).json()["error"]
    assert Story.objects.count() == 1


def test_the_key_of_a_source_is_never_shown() -> None:
    Source.objects.create(name="Tickets", kind="eventbrite", url="https://example.org/", sealed_key="sealed-secret")
    for path in ("sources", f"sources/{Source.objects.get().pk}"):
        assert "sealed" not in call("get", path, key=create_key(ALL, name=path)).content.decode()


def put_feed(site: Site, name: str = "feed") -> str:
    items = make_feed_item(site, name, "A new verdict")
    text = f'<rss version="2.0"><channel><title>News</title>{items}</channel></rss>'
    return site.put(f"/{name}.xml", text, Content_Type="application/rss+xml")


def test_a_source_is_added_with_the_kind_that_is_found(site: Site) -> None:
    answer = call("post", "sources", {"name": "Our site", "url": put_feed(site)}, key=create_key(ALL))
    assert answer.status_code == 201, answer.content
    assert (answer.json()["kind"], answer.json()["has_key"]) == ("feed", False)
    assert Source.objects.get().due_at is not None


def test_a_source_that_cannot_be_read_is_not_saved(site: Site) -> None:
    key, gone = create_key(ALL), f"{site.url}/gone.xml"
    assert problem(call("post", "sources", {"name": "Gone", "url": gone, "kind": "feed"}, key=key), 422)
    assert not Source.objects.exists()
    unread = {"name": "Gone", "url": gone, "kind": "feed", "enabled": False}
    assert call("post", "sources", unread, key=key).status_code == 201
    again = call("post", "sources", {**unread, "name": "Again"}, key=key)
    assert (problem(again, 409), again.json()["code"])[1] == "in_use"
    unknown = {"name": "x", "url": f"{site.url}/x", "kind": "poem", "enabled": False}
    refused = problem(call("post", "sources", unknown, key=key), 422)
    assert "“poem”" in refused
    assert "If it comes with an extension, install its package here first." in refused


def test_a_source_is_changed_unless_somebody_else_changed_it(site: Site) -> None:
    key = create_key(ALL)
    path = f"sources/{call('post', 'sources', {'name': 'Our site', 'url': put_feed(site)}, key=key).json()['id']}"
    etag = call("get", path, key=key).headers["ETag"]
    changed = call("patch", path, {"name": "Our news", "every_minutes": 60}, key=key, if_match=etag)
    assert (changed.json()["name"], changed.json()["every_minutes"]) == ("Our news", 60)
    problem(call("patch", path, {"name": "Late"}, key=key, if_match=etag), 412)
    moved = call("patch", path, {"url": put_feed(site, "moved")}, key=key)
    assert moved.json()["url"].endswith("/moved.xml")
    problem(call("patch", path, {"url": f"{site.url}/gone.xml"}, key=key), 422)


def test_the_key_of_a_source_is_stored_sealed_and_never_shown(site: Site) -> None:
    key = create_key(ALL)
    ghost = {"name": "Blog", "url": f"{site.url}/", "kind": "ghost", "key": "hush-0123456789", "enabled": False}
    made = call("post", "sources", ghost, key=key, idempotency_key="one")
    assert made.json()["has_key"] is True
    row = Source.objects.get()
    assert open_key(row) == "hush-0123456789"
    path = f"sources/{row.pk}"
    seen = [made, call("get", path, key=key), call("patch", path, {"name": "Our blog"}, key=key)]
    assert not any(b"hush" in answer.content for answer in seen)
    logged = " ".join(str(entry.data) for entry in ModelLogEntry.objects.all())
    assert "hush" not in logged + row.sealed_key
    row.refresh_from_db()
    assert open_key(row) == "hush-0123456789"
    moved = call("patch", path, {"url": f"{site.url}/other/", "kind": "ghost"}, key=key)
    assert moved.json()["has_key"] is False, "a key is never sent to another address"
    assert site.asked == []


def test_a_key_saved_while_the_call_runs_is_not_used_for_the_old_address(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = create_key(ALL)
    ghost = {"name": "Blog", "url": f"{site.url}/", "kind": "ghost", "key": "hush-0123456789", "enabled": False}
    path = f"sources/{call('post', 'sources', ghost, key=key).json()['id']}"

    def settle_slowly(**given: Any) -> TypedSource:
        typed = settle_source(**given)
        Source.objects.update(url="https://new.example.org/", sealed_key=seal_key("key-of-the-new-site"))
        return typed

    monkeypatch.setattr("newsletter.api.content.sources.settle_source", settle_slowly)
    assert call("patch", path, {"kind": "ghost"}, key=key).json()["has_key"] is False
    assert Source.objects.get().url == f"{site.url}/"
