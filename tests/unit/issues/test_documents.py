"""When an event is, as readers see it: in the zone of its place, from its first day to its last, from hour to hour."""

import re
from typing import Any

import pytest

from newsletter.issues.variants.documents import VisibleContent, describe_visible, make_document
from newsletter.issues.variants.nearby_events import EventSelection, RecipientLocation, choose_events_for
from newsletter.rendering.blocks import EventItem, Events


def show(
    language: str = "en",
    publication_zone: str = "Europe/London",
    *,
    where: RecipientLocation | None = None,
    **changes: Any,
) -> EventItem:
    event: dict[str, Any] = {
        "id": 1, "title": "Vigil", "url": "https://example.org/vigil/", "starts_at": "2026-12-05T18:30:00+00:00", "ends_at": "",
        "zone": "Europe/London", "all_day": False, "day": "", "place": "Town Hall, Leeds", "town": "Leeds", "country": "GB",
        "region": "GB-ENG", "latitude": 53.8, "longitude": -1.5, "online": False, "cancelled": False,
    } | changes  # fmt: skip
    brand = {
        "name": "Open Door", "logo": None, "logo_dark": None, "colour": "#17414f", "accent": "#a8481b", "background": "#fdfbf7",
        "font": "serif", "postal_address": "1 Example Street", "website": "https://example.org/", "donate_url": "",
        "donor_portal_url": "", "social": [],
    }  # fmt: skip
    content = {
        "subject": "News", "preheader": "", "brand": brand,
        "publication": {"name": "Weekly", "zone": publication_zone, "host_url": "", "list_name": "Weekly"},
        "blocks": [{"type": "events", "key": "e", "heading": "", "events": [event]}],
    }  # fmt: skip
    chosen = EventSelection(kind="near", events=(event,))
    if where:
        chosen = choose_events_for(where, events=[event], limit=3, radius_km=80, host=False)
    visible = VisibleContent(language=language, events={"e": chosen}, appeals={})
    (block,) = make_document(content, visible=visible, view_online="").blocks
    assert isinstance(block, Events)
    return block.events[0]


def spaced(text: str) -> str:
    """Without the thin spaces, and without the comma after the weekday, which editions of the locale data differ in."""
    return text.replace("\u2009", " ").replace("\u202f", " ").replace("day, 5 ", "day 5 ").replace("day, 9 ", "day 9 ")


def dashed(text: str) -> str:
    """Without what stands round a dash: the tables of languages give it thin spaces in one edition and none in another."""
    return re.sub(r"\s*–\s*", "–", spaced(text))


@pytest.mark.parametrize("zone", ["", "UTC", "Etc/UTC"])
def test_an_event_without_a_zone_of_its_own_is_shown_by_the_publications_clock(zone: str) -> None:
    item = show(starts_at="2026-12-10T01:00:00+00:00", zone=zone, online=True, publication_zone="America/Chicago")
    assert spaced(item.when) == "Wednesday 9 December 2026, 19:00 (Chicago)"
    assert (item.day, item.month) == ("9", "Dec")


def test_an_event_is_shown_by_the_clock_of_its_own_zone() -> None:
    item = show(starts_at="2026-12-10T01:00:00+00:00", zone="America/Chicago")
    assert spaced(item.when) == "Wednesday 9 December 2026, 19:00 (Chicago)"


@pytest.mark.parametrize(
    ("language", "ends_at", "words"),
    [
        ("en", "", "Saturday 5 December 2026, 18:30 (London)"),
        ("en", "2026-12-05T18:30:00+00:00", "Saturday 5 December 2026, 18:30 (London)"),
        ("en", "2026-12-05T20:00:00+00:00", "Saturday 5 December 2026, 18:30–20:00 (London)"),
        ("en", "2026-12-06T02:00:00+00:00", "Saturday 5 December 2026, 18:30 – 02:00 (London)"),
        ("en", "2026-12-06T20:00:00+00:00", "5–6 December 2026, 18:30–20:00 (London)"),
        ("en", "2026-12-07T14:00:00+00:00", "5 December, 18:30 – 7 December 2026, 14:00 (London)"),
        ("en", "2027-01-02T14:00:00+00:00", "5 December 2026, 18:30 – 2 January 2027, 14:00 (London)"),
        ("en-US", "2026-12-05T20:00:00+00:00", "Saturday, December 5, 2026, 6:30 – 8:00 PM (London)"),
        ("es", "2026-12-06T20:00:00+00:00", "5–6 de diciembre de 2026, 18:30–20:00 (Londres)"),
    ],
)
def test_the_end_of_an_event_is_shown(language: str, ends_at: str, words: str) -> None:
    assert dashed(show(language, ends_at=ends_at).when) == dashed(words)


@pytest.mark.parametrize(
    ("language", "day", "starts_at", "ends_at", "words"),
    [
        ("en", "2026-12-05", "2026-12-05T00:00:00+00:00", "2026-12-06T00:00:00+00:00", "Saturday 5 December 2026"),
        ("en", "2026-12-05", "2026-12-05T00:00:00+00:00", "", "Saturday 5 December 2026"),
        ("en", "2026-12-05", "2026-12-05T00:00:00+00:00", "2026-12-07T00:00:00+00:00", "5–6 December 2026"),
        ("en", "2026-12-31", "2026-12-31T00:00:00+00:00", "2027-01-02T00:00:00+00:00", "31 December 2026 – 1 January 2027"),
        ("en", "2026-11-30", "2026-11-30T00:00:00+00:00", "2026-12-02T00:00:00+00:00", "30 November – 1 December 2026"),
        ("en", "2026-10-24", "2026-10-23T23:00:00+00:00", "2026-10-26T00:00:00+00:00", "24–25 October 2026"),
        ("en-US", "2026-12-05", "2026-12-05T00:00:00+00:00", "2026-12-07T00:00:00+00:00", "December 5 – 6, 2026"),
        ("de", "2026-12-05", "2026-12-05T00:00:00+00:00", "2026-12-07T00:00:00+00:00", "5.–6. Dezember 2026"),
        ("ar", "2026-12-05", "2026-12-05T00:00:00+00:00", "2026-12-07T00:00:00+00:00", "5–6 ديسمبر 2026"),
    ],
)  # fmt: skip
def test_an_event_of_whole_days_is_shown_from_its_first_to_its_last(
    language: str, day: str, starts_at: str, ends_at: str, words: str
) -> None:
    item = show(language, all_day=True, day=day, starts_at=starts_at, ends_at=ends_at, zone="America/Chicago")
    assert dashed(item.when) == dashed(words)


LEEDS, BRADFORD, YORK = (
    RecipientLocation("GB", "GB-ENG", "Leeds", 53.8, -1.55),
    RecipientLocation("GB", "GB-ENG", "Bradford", 53.79, -1.75),
    RecipientLocation("GB", "GB-ENG", "York", 53.96, -1.08),
)


@pytest.mark.parametrize(
    ("where", "language", "distance"),
    [
        (LEEDS, "en", "within 15 km of you"),
        (LEEDS, "es", "a menos de 15 km de ti"),
        (LEEDS, "ar", "على بعد أقل من 15 كم منك"),
        (BRADFORD, "en", ""),
        (YORK, "en", ""),
    ],
)
def test_an_event_that_is_close_to_its_readers_says_how_close(
    where: RecipientLocation, language: str, distance: str
) -> None:
    assert spaced(show(language, where=where).distance) == distance


def test_an_event_online_is_not_close_to_anybody() -> None:
    assert show(where=LEEDS, online=True).distance == ""


def test_readers_to_whom_an_event_is_close_have_a_variant_of_their_own_and_others_share_one() -> None:
    event = {"id": 1, "online": False, "cancelled": False, "latitude": 53.8, "longitude": -1.55, "town": "Leeds"}
    seen = [
        VisibleContent("en", {"e": choose_events_for(where, events=[event], limit=3, radius_km=80, host=False)}, {})
        for where in (LEEDS, BRADFORD, YORK)
    ]
    assert [one.key == seen[2].key for one in seen] == [False, True, True]
    assert describe_visible(seen[0]) == "Events near Leeds (1 within 15 km)"
    assert describe_visible(seen[2]) == "Events near Leeds"


@pytest.mark.parametrize(
    ("place", "where"),
    [("Toronto, Toronto, Ontario", "Toronto, Ontario"), ("Town Hall, Leeds", "Town Hall, Leeds"), ("", "Leeds")],
)
def test_a_town_is_said_once_in_the_place_of_an_event(place: str, where: str) -> None:
    assert show(place=place).where == where
