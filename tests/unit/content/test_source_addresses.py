"""Addresses as people paste them: the kind that they name, their usual form, and the key that is taken out."""

import base64

import pytest

from newsletter.content.parsing.apis.addresses import (
    SourceAddress,
    add_calendar_key,
    find_interface,
    read_source_address,
)

CALENDAR = "abc123@group.calendar.google.com"
ICAL = "https://calendar.google.com/calendar/ical/abc123%40group.calendar.google.com"
PUBLIC = f"{ICAL}/public/basic.ics"
SHORT = base64.b64encode(CALENDAR.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "pasted",
    [
        PUBLIC,
        f" {PUBLIC}\n",
        "https://www.google.com/calendar/ical/abc123%40group.calendar.google.com/public/basic.ics",
        "https://calendar.google.com/calendar/embed?src=abc123%40group.calendar.google.com&ctz=Europe%2FLondon",
        f"https://calendar.google.com/calendar/u/0?cid={SHORT}",
        f"https://calendar.google.com/calendar/r?cid={CALENDAR}",
        "webcal://calendar.google.com/calendar/ical/abc123%40group.calendar.google.com/public/basic.ics",
    ],
)
def test_every_address_of_a_google_calendar_is_one_address(pasted: str) -> None:
    assert read_source_address(pasted) == SourceAddress(PUBLIC, "calendar")


def test_the_secret_of_a_google_calendar_is_taken_out() -> None:
    pasted = f"{ICAL}/private-0a1b2c3d4e5f/basic.ics"
    found = read_source_address(pasted, kind="calendar")
    assert found == SourceAddress(PUBLIC, "calendar", "0a1b2c3d4e5f")
    assert add_calendar_key(found.url, found.key) == pasted
    assert add_calendar_key(found.url, "") == PUBLIC


@pytest.mark.parametrize(
    ("pasted", "url", "kind", "key"),
    [
        ("https://a.example/ghost/api/content/posts/?key=22ab&filter=tag:news",
         "https://a.example/ghost/api/content/posts/?filter=tag:news", "ghost", "22ab"),
        ("https://a.example/ghost/api/content", "https://a.example/ghost/api/content", "ghost", ""),
        ("https://a.example/jsonapi/node/article", "https://a.example/jsonapi/node/article", "drupal", ""),
        ("https://www.eventbriteapi.com/v3/organizations/17/events/?token=AB",
         "https://www.eventbriteapi.com/v3/organizations/17/events/", "eventbrite", "AB"),
        ("https://api.mobilize.us/v1/organizations/1/events", "https://api.mobilize.us/v1/organizations/1/events",
         "mobilize", ""),
        ("https://actionnetwork.org/api/v2/events", "https://actionnetwork.org/api/v2/events", "action_network", ""),
        ("https://www.youtube.com/channel/UC0123456789abcdefghij",
         "https://www.youtube.com/feeds/videos.xml?channel_id=UC0123456789abcdefghij", "feed", ""),
        ("https://www.youtube.com/playlist?list=PL0123",
         "https://www.youtube.com/feeds/videos.xml?playlist_id=PL0123", "feed", ""),
        ("https://www.youtube.com/@opendoor", "https://www.youtube.com/@opendoor", "", ""),
        ("https://a.example/news?key=7", "https://a.example/news?key=7", "", ""),
        ("https://calendar.google.com/calendar/u/0?cid=%%%", "https://calendar.google.com/calendar/u/0?cid=%%%", "", ""),
        ("https://[bad", "https://[bad", "", ""),
    ],
)  # fmt: skip
def test_an_address_names_its_kind_and_gives_up_its_key(pasted: str, url: str, kind: str, key: str) -> None:
    assert read_source_address(pasted) == SourceAddress(url, kind, key)


def test_the_kind_that_somebody_chose_is_kept() -> None:
    assert read_source_address("https://a.example/jsonapi/", kind="page").kind == "page"
    found = read_source_address("https://cms.example/?key=7", kind="ghost")
    assert found == SourceAddress("https://cms.example/", "ghost", "7")


@pytest.mark.parametrize(
    ("page", "kind"),
    [
        ("https://www.eventbrite.co.uk/o/open-door-123", "eventbrite"),
        ("https://opendoor.eventbrite.com/", "eventbrite"),
        ("https://actionnetwork.org/groups/open-door", "action_network"),
        ("https://eventbrite.example.org/", ""),
        ("https://noteventbrite.com/", ""),
        ("https://[bad", ""),
    ],
)
def test_the_interface_behind_a_page_is_known(page: str, kind: str) -> None:
    found = find_interface(page)
    assert (found.kind if found else "") == kind


def test_the_key_of_an_address_is_not_shown_by_its_name() -> None:
    assert "0a1b" not in repr(read_source_address(f"{ICAL}/private-0a1b/basic.ics"))
