"""Events that staff type are located like events from sources, and appear in the issues of people near them."""

from datetime import UTC, datetime

import pytest

from newsletter.issues.assembly.selection import choose_events
from newsletter.models import EventNotice, Publication
from tests.support.desk import sign_in
from tests.support.fixtures import HOUSTON, NOW, make_event

pytestmark = pytest.mark.django_db


def type_event(**fields: str) -> EventNotice:
    """Add an event in the desk with these fields and return its row."""
    typed = {"title": "Candlelight vigil", "starts_at": "2026-03-12 18:30", "zone": "", **fields}
    answer = sign_in("editor").post("/admin/events/add/", typed)
    assert answer.status_code == 302, answer.content.decode()
    return EventNotice.objects.get(title="Candlelight vigil")


def test_a_typed_event_is_placed_in_its_town(publication: Publication) -> None:
    event = type_event(town="Leeds")
    assert (event.region, event.country) == ("GB-ENG", "GB")
    assert event.latitude == pytest.approx(53.8, abs=0.1)
    chosen, _reasons = choose_events(publication=publication, due_at=NOW, now=NOW)
    assert chosen == [event]


def test_a_typed_event_is_placed_by_its_address() -> None:
    event = type_event(place_text="Town Hall, Leeds")
    assert (event.town, event.region) == ("Leeds", "GB-ENG")


def test_a_typed_event_gets_the_time_zone_of_its_town() -> None:
    event = type_event(town="Houston", region="US-TX")
    assert event.zone == "America/Chicago"
    assert event.starts_at == datetime(2026, 3, 12, 23, 30, tzinfo=UTC)


def test_an_ambiguous_typed_town_becomes_a_question() -> None:
    event = type_event(town="Springfield", starts_at="2027-03-12 18:30")
    assert event.latitude is None
    page = sign_in("writer").get("/admin/events/places/").content.decode()
    assert "Candlelight vigil" in page
    assert "Springfield, Illinois" in page


def test_typed_coordinates_are_kept() -> None:
    event = type_event(latitude="53.7", longitude="-1.4")
    assert (event.latitude, event.longitude) == (53.7, -1.4)
    assert event.town


def test_a_moved_event_gets_the_coordinates_of_its_new_town() -> None:
    event = make_event("Evening", where=HOUSTON, zone="America/Chicago")
    fields = {
        "title": event.title, "starts_at": "2026-03-11 03:30", "zone": event.zone, "place_text": "Houston", "region": "US-TX",
        "country": "US", "latitude": str(event.latitude), "longitude": str(event.longitude), "town": "Galveston",
    }  # fmt: skip
    sign_in("writer").post(f"/admin/events/edit/{event.pk}/", fields)
    event.refresh_from_db()
    assert event.latitude == pytest.approx(29.3, abs=0.1)
    assert {"town", "latitude", "longitude"} <= set(event.edited_fields)
