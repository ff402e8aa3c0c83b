"""Events that leave their time zone or their country open are read as at home, where the publications are."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from newsletter.content.ingesting.home_location import (
    find_home_country,
    find_home_zone,
    rereading_events_if_home_zone_changes,
)
from newsletter.content.ingesting.ingest import ingest_source
from newsletter.models import EventNotice, Publication, Source
from tests.support.fixtures import NOW, make_publication
from tests.support.web_site import Site, serve_site

pytestmark = pytest.mark.django_db

CALENDAR = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260301T000000Z\r\n"
    "DTSTART:20260615T180000\r\nSUMMARY:Vigil\r\nLOCATION:{place}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as served:
        yield served


def read_event(site: Site, *, place: str = "Online") -> EventNotice:
    url = site.put("/events.ics", CALENDAR.format(place=place), Content_Type="text/calendar")
    source, _ = Source.objects.get_or_create(name="Calendar", defaults={"kind": "calendar", "url": url})
    ingest_source(source=source, now=NOW)
    return EventNotice.objects.get()


def test_a_time_without_zone_and_place_is_read_as_at_home(site: Site) -> None:
    make_publication(zone="Europe/London")
    event = read_event(site)
    assert (event.starts_at, event.zone) == (datetime(2026, 6, 15, 17, tzinfo=UTC), "Europe/London")
    assert "read as Europe/London, the time zone of your publications. Check it." in event.note


def test_the_zone_of_the_place_comes_before_that_of_the_newsletter(site: Site) -> None:
    make_publication(zone="Europe/London")
    assert read_event(site, place="Houston\\, Texas\\, USA").zone == "America/Chicago"


def test_newsletters_of_two_zones_leave_the_time_in_utc(site: Site) -> None:
    make_publication(zone="Europe/London")
    make_publication(zone="America/Chicago", slug="texas", name="Texas")
    event = read_event(site)
    assert event.starts_at.hour == 18
    assert "read as UTC. Check it." in event.note


def test_events_are_read_again_when_the_home_zone_changes(site: Site) -> None:
    assert read_event(site).starts_at.hour == 18
    with rereading_events_if_home_zone_changes():
        make_publication(zone="Europe/London")
    assert Source.objects.get().due_at is None
    assert read_event(site).starts_at.hour == 17


def test_nothing_is_read_again_when_the_home_zone_stays(site: Site) -> None:
    make_publication(zone="Europe/London")
    hashed = read_event(site).source_sha256
    with rereading_events_if_home_zone_changes():
        Publication.objects.update(name="Another name")
    assert EventNotice.objects.get().source_sha256 == hashed


def test_home_is_the_country_of_all_publications() -> None:
    assert (find_home_zone(), find_home_country()) == ("", "")
    make_publication(zone="Europe/London")
    assert (find_home_zone(), find_home_country()) == ("Europe/London", "GB")
    make_publication(zone="America/Chicago", slug="texas", name="Texas")
    assert (find_home_zone(), find_home_country()) == ("", "")


def test_a_name_of_several_towns_means_the_one_at_home(site: Site) -> None:
    make_publication(zone="Europe/London")
    event = read_event(site, place="York")
    assert (event.town, event.region, event.place_question) == ("York", "GB-ENG", {})


def test_without_a_home_a_name_of_several_towns_is_a_question(site: Site) -> None:
    assert read_event(site, place="York").place_question != {}
