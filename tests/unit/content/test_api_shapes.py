"""Answers of Ghost, Drupal, Eventbrite, Mobilize and Action Network become stories and events."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from newsletter.content.parsing.entries import Parsed
from newsletter.content.parsing.parse import Document, parse_document
from tests.support.api_entries import EVENT_KINDS, STORY_KINDS, make_entry
from tests.support.sample_documents import MARKER, list_shapes, read_json_shape, read_shape

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
URLS = {
    "ghost": "https://ghost.example.org/ghost/api/content/posts/",
    "drupal": "https://drupal.example.org/jsonapi/node/article",
    "eventbrite": "https://www.eventbriteapi.com/v3/organizations/1717/events/",
    "mobilize": "https://api.mobilize.us/v1/organizations/1/events",
    "action_network": "https://actionnetwork.org/api/v2/events",
}


def parse(kind: str, body: bytes) -> Parsed:
    return parse_document(Document(kind, body, URLS[kind], "application/json", NOW))


def read(kind: str) -> Parsed:
    return parse(kind, read_shape(kind, list_shapes(kind)[0]))


def read_one(kind: str, **fields: Any) -> Parsed:
    """Parse the recorded document with one entry that has these fields."""
    document = read_json_shape(kind)
    inner = document.get("_embedded", document)
    name = next(name for name, value in inner.items() if isinstance(value, list) and name != "included")
    inner[name] = [make_entry(kind, 7, **fields)]
    return parse(kind, json.dumps(document).encode())


def test_a_ghost_post_keeps_the_data_of_its_site() -> None:
    (story,) = read("ghost").stories
    assert (story.external_id, story.title) == ("5ddc9141c35e7700383b2931", "A school opens again")
    assert story.url == "https://ghost.example.org/post-1/"
    assert story.teaser == "The school in Pune opens its doors again, and Maya* is the first to enter."
    assert (story.picture_url, story.picture_alt) == ("https://static.example.org/door-1.jpg", "A blue door")
    assert (story.author, story.categories) == ("Field team", ("Education",))
    assert story.published_at == datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
    assert story.pseudonyms == (("Maya", "*Name has been changed."),)


def test_a_drupal_node_keeps_its_image_and_terms() -> None:
    first, second = read("drupal").stories
    assert (first.title, first.url) == ("The hundredth patient", "https://drupal.example.org/stories/1")
    assert first.teaser == "The clinic in Leeds sees its hundredth patient."
    assert first.picture_url == "https://drupal.example.org/sites/default/files/2026-03/nurse.jpg"
    assert (first.picture_alt, first.categories, first.language) == ("A nurse at a desk", ("Health",), "en")
    assert first.addresses == ("https://drupal.example.org/node/1",)
    assert (second.url, second.language) == ("https://drupal.example.org/node/3", "")


def test_drupal_is_asked_for_the_images_and_terms_it_refers_to() -> None:
    document = read_json_shape("drupal")
    del document["included"]
    document["data"][0]["relationships"]["field_media"] = {"data": {"type": "media--image", "id": "m1"}}
    parsed = parse("drupal", json.dumps(document).encode())
    assert parsed.extra["include"].endswith("?include=field_image,field_tags,field_media.field_media_image")


def test_an_image_behind_a_drupal_media_entity_is_found() -> None:
    document = read_json_shape("drupal")
    reference = {"type": "media--image", "id": "m1", "meta": {}}
    file = {"data": {"type": "file--file", "id": "f1", "meta": {"alt": "A van"}}}
    document["data"] = document["data"][:1]
    document["data"][0]["relationships"] = {"field_media": {"data": reference}}
    document["included"].append({**reference, "relationships": {"field_media_image": file}})
    (story,) = parse("drupal", json.dumps(document).encode()).stories
    assert (story.picture_url[-9:], story.picture_alt) == ("nurse.jpg", "A van")


def test_an_eventbrite_event_keeps_its_time_and_place() -> None:
    parsed = read("eventbrite")
    event, online, cancelled = parsed.events
    assert (event.external_id, event.title, event.zone) == ("101", "An evening in Leeds", "Europe/London")
    assert (event.starts_at, event.ends_at) == (
        datetime(2026, 4, 15, 18, tzinfo=UTC),
        datetime(2026, 4, 15, 20, tzinfo=UTC),
    )
    assert event.place == "The Old Mill, 1 Mill Street, Leeds, West Yorkshire, LS9 8AA, GB"
    assert (event.latitude, event.longitude, event.locality) == (53.7958, -1.5337, "Leeds")
    assert event.summary == "An evening with the team."
    assert (online.online, online.place) == (True, "")
    assert (cancelled.cancelled, event.cancelled) == (True, False)
    assert parsed.set_aside[0].external_id == "105"


def test_a_mobilize_event_takes_place_at_each_of_its_time_slots() -> None:
    first, second, *_ = read("mobilize").events
    assert (first.external_id, second.external_id) == ("1#11", "1#12")
    assert (first.starts_at, first.ends_at) == (
        datetime(2026, 4, 15, 18, tzinfo=UTC),
        datetime(2026, 4, 15, 20, tzinfo=UTC),
    )
    assert (first.zone, first.place) == ("America/New_York", "Library, 204 E 13th St, New York, NY, 10003, US")


def test_the_markdown_of_a_mobilize_description_is_read_as_text() -> None:
    park = "[the _park_](https://www.example.org/p_a_r_k)"
    written = f"## Join us\n\nWe **meet** at {park}.\n\n* Bring 2 * 3 snacks &amp; water\n* A <b>hat</b>"
    events = read_one("mobilize", description=written).events
    assert [event.summary for event in events] == [
        "Join us\nWe meet at the park.\n- Bring 2 * 3 snacks & water\n- A hat"
    ]


def test_a_private_address_at_mobilize_is_reduced_to_its_town() -> None:
    home = next(event for event in read("mobilize").events if event.title.startswith("Evening at"))
    assert (home.place, home.street, home.postcode, home.latitude) == ("Austin, TX, US", "", "", None)


def test_a_virtual_event_at_mobilize_is_online() -> None:
    assert [event.online for event in read("mobilize").events if event.title == "Phone bank"] == [True, True]
    assert read_one("mobilize", location=None).events[0].online


def test_an_action_network_time_is_that_of_its_place() -> None:
    rally, whole_day, cancelled = read("action_network").events
    assert (rally.starts_at, rally.floating) == (datetime(2026, 4, 14, 12, tzinfo=UTC), True)
    assert rally.external_id == "action_network:d91b4b2e-ae0e-4cd3-9ed7-d0ec501b0bc1"
    assert rally.place == "Lafayette Square, 1564 H St NW, Washington, DC, 20001, US"
    assert (whole_day.all_day, whole_day.day) == (True, date(2026, 4, 20))
    assert cancelled.cancelled


@pytest.mark.parametrize("kind", [*EVENT_KINDS, *STORY_KINDS])
def test_nothing_of_a_private_entry_is_read(kind: str) -> None:
    parsed = read(kind)
    assert MARKER not in repr(parsed)
    assert "private-marker" not in repr(parsed)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("ghost", {"visibility": "paid"}),
        ("ghost", {"status": "sent"}),
        ("eventbrite", {"listed": False}),
        ("eventbrite", {"listed": None}),
        ("eventbrite", {"invite_only": True}),
        ("eventbrite", {"password": "open sesame"}),
        ("eventbrite", {"status": "draft"}),
        ("eventbrite", {"name": {"text": "Private appointment"}}),
        ("mobilize", {"visibility": "PRIVATE"}),
        ("mobilize", {"approval_status": "NEEDS_APPROVAL"}),
        ("action_network", {"visibility": "private"}),
        ("action_network", {"action_network:hidden": True}),
        ("action_network", {"status": "tentative"}),
    ],
)
def test_an_entry_that_is_not_for_everybody_is_private(kind: str, fields: dict[str, Any]) -> None:
    parsed = read_one(kind, **fields)
    assert (parsed.stories, parsed.events, parsed.listed, len(parsed.private)) == ((), (), 0, 1)


@pytest.mark.parametrize(
    ("kind", "fields", "reason"),
    [
        ("eventbrite", {"hide_start_date": True}, "hide the start"),
        ("eventbrite", {"start": {"local": "2026-04-15T19:00:00"}}, "no start"),
        ("eventbrite", {"start": {"utc": "2046-04-15T18:00:00Z"}}, "cannot be true"),
        ("eventbrite", {"url": "javascript:alert(1)"}, "cannot be used"),
        ("mobilize", {"timeslots": "changed"}, "no id"),
        ("mobilize", {"timeslots": [{"id": 1, "start_date": "soon"}]}, "no start"),
        ("action_network", {"browser_url": None}, "no link"),
        ("action_network", {"identifiers": None}, "no id"),
        ("action_network", {"start_date": 12}, "no start"),
        ("ghost", {"url": ""}, "no link"),
        ("ghost", {"published_at": "2027-01-01T00:00:00.000Z"}, "future"),
        ("ghost", {"title": "a \ud800 b"}, "invalid character"),
    ],
)
def test_an_entry_that_cannot_be_used_is_set_aside(kind: str, fields: dict[str, Any], reason: str) -> None:
    parsed = read_one(kind, **fields)
    assert (parsed.stories, parsed.events) == ((), ())
    assert reason in parsed.set_aside[0].reason


def test_an_impossible_end_is_left_out_and_named() -> None:
    (event,) = read_one("eventbrite", end={"utc": "2026-04-14T18:00:00Z"}).events
    assert event.ends_at is None
    assert "makes no sense" in event.note
    (event,) = read_one("eventbrite", hide_end_date=True).events
    assert event.ends_at is None


@pytest.mark.parametrize("kind", [*EVENT_KINDS, *STORY_KINDS])
@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"events": {}}', b"[" * 100_000, b'{"data": null}'])
def test_an_answer_of_another_shape_is_one_clear_error(kind: str, body: bytes) -> None:
    parsed = parse(kind, body)
    assert "nothing was changed" in parsed.error or "Nothing new was used" in parsed.error
    assert (parsed.stories, parsed.events, parsed.set_aside) == ((), (), ())
