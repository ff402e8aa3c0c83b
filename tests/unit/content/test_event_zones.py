"""An event's clock is read in the zone of its location, else of its source's region, else in UTC with a note."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from newsletter.content.ingesting.store_events import resolve_event_zone
from newsletter.content.parsing.entries import EventEntry
from newsletter.content.parsing.event_locations import locate_event
from subscribers.places.towns import main_zone


def settle(place: str = "", *, region: str = "", hour: int = 19, **fields: Any) -> EventEntry:
    entry = EventEntry("1", "Talk", datetime(2026, 12, 6, hour, tzinfo=UTC), place=place, **fields)
    return resolve_event_zone(entry, located=locate_event(entry, default_region=region), source_region=region)


@pytest.mark.requirement("X9")
@pytest.mark.parametrize(
    ("place", "region", "zone", "hour"),
    [
        ("Houston, TX", "", "America/Chicago", 1),
        ("Houston, TX", "GB-ENG", "America/Chicago", 1),
        ("", "US-TX", "America/Chicago", 1),
        ("Online", "US-TX", "America/Chicago", 1),
        ("Texas", "GB-ENG", "America/Chicago", 1),
        ("Leeds, UK", "US-TX", "Europe/London", 19),
        ("Online", "", "", 19),
    ],
)
def test_a_wall_clock_is_read_in_the_zone_of_its_location(place: str, region: str, zone: str, hour: int) -> None:
    settled = settle(place, region=region, floating=True, zone_note="The event names no time zone.")
    assert (settled.zone, settled.starts_at.hour, settled.floating) == (zone, hour, False)
    assert f"names no time zone. Its time is read as {zone or 'UTC'}" in settled.zone_note
    assert ("Check it." in settled.zone_note) == (place in ("", "Online", "Texas"))


def test_the_end_of_a_wall_clock_moves_with_its_start() -> None:
    settled = settle("Houston, TX", floating=True, ends_at=datetime(2026, 12, 6, 21, tzinfo=UTC))
    assert settled.ends_at == datetime(2026, 12, 7, 3, tzinfo=UTC)


def test_an_all_day_event_begins_at_local_midnight_without_a_note() -> None:
    settled = settle("Houston, TX", hour=0, floating=True, all_day=True, day=date(2026, 12, 6))
    assert (settled.starts_at, settled.zone_note) == (datetime(2026, 12, 6, 6, tzinfo=UTC), "")


@pytest.mark.parametrize(
    ("place", "given", "shown"),
    [
        ("Houston, TX", "UTC", "America/Chicago"),
        ("Houston, TX", "", "America/Chicago"),
        ("Houston, TX", "Europe/London", "Europe/London"),
        ("Online", "UTC", "UTC"),
    ],
)
def test_a_moment_in_utc_is_shown_in_the_zone_of_its_location(place: str, given: str, shown: str) -> None:
    settled = settle(place, zone=given)
    assert (settled.starts_at.hour, settled.zone, settled.note) == (19, shown, "")


def test_the_zone_of_a_region_is_that_of_most_of_its_people() -> None:
    assert main_zone(region="US-TX") == "America/Chicago"
    assert main_zone(country="GB") == "Europe/London"
    assert main_zone(region="XX-YY") == ""
    assert main_zone() == ""
