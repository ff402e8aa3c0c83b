"""Readers see in which town an event is, unless its address says so already or nobody knows it."""

from datetime import UTC, datetime

import pytest

from newsletter.issues.snapshot.records.events import EventRecord
from newsletter.issues.visible.event_locations import describe_event_location

MUNICH = {"town": "Munich", "country": "DE", "region": "DE-BY", "latitude": 48.13743, "longitude": 11.57549}
LEEDS = {"town": "Leeds", "country": "GB", "region": "GB-ENG", "latitude": 53.79648, "longitude": -1.54785}


def describe(location: str, *, language: str = "en", translated: str | None = None, **where: object) -> str:
    event = EventRecord(
        id=1,
        title="A reading",
        url="",
        starts_at=datetime(2026, 12, 12, 14, tzinfo=UTC),
        ends_at=None,
        zone="Europe/Berlin",
        all_day=False,
        day=None,
        location=location,
        online=False,
        cancelled=False,
        translated_location=translated,
        **where,
    )
    return describe_event_location(event, language=language)


def test_an_address_without_a_town_is_followed_by_the_town() -> None:
    assert describe("Pfarrsaal", **MUNICH) == "Pfarrsaal, Munich"
    assert describe("Parish hall, 3 Mill Lane", **LEEDS) == "Parish hall, 3 Mill Lane, Leeds"


def test_the_town_is_in_the_language_of_the_reader() -> None:
    assert describe("Pfarrsaal", language="es", **MUNICH) == "Pfarrsaal, Múnich"
    assert describe("Pfarrsaal", language="es", translated="Salón parroquial", **MUNICH) == "Salón parroquial, Múnich"


@pytest.mark.parametrize("location", ["Pfarrsaal, München", "Pfarrsaal, 80331 Munich", "Marienplatz 1, Munchen"])
def test_a_town_that_the_address_names_is_not_repeated(location: str) -> None:
    assert describe(location, **MUNICH) == location


@pytest.mark.parametrize("location", ["Zoom", "Online", "https://example.org/room", "www.example.org"])
def test_a_location_on_the_web_has_no_town(location: str) -> None:
    assert describe(location, **LEEDS) == location


def test_a_town_that_is_only_the_nearest_one_is_not_named() -> None:
    on_a_hill = {**LEEDS, "latitude": 53.9, "longitude": -1.9}
    assert describe("Mountain hut", **on_a_hill) == "Mountain hut"


def test_a_typed_town_without_a_point_is_named() -> None:
    assert describe("Hall", town="Little Anywhere", country="", region="", latitude=None, longitude=None) == (
        "Hall, Little Anywhere"
    )
