"""Events that staff type are located like events from sources, and appear in the issues of people near them."""

from datetime import UTC, datetime

import pytest

from newsletter.content.ingesting.translated_events import record_event_change
from newsletter.issues.assembly.selection import choose_events
from newsletter.models import EventNotice, Publication
from tests.support.desk import list_messages, sign_in
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


def test_a_typed_event_without_a_known_town_is_timed_as_at_home(publication: Publication) -> None:
    event = type_event(place_text="Online", starts_at="2026-06-12 18:30")
    assert (event.zone, event.starts_at) == ("Europe/London", datetime(2026, 6, 12, 17, 30, tzinfo=UTC))


def test_the_chosen_town_is_shown_in_words(publication: Publication) -> None:
    client = sign_in("editor")
    typed = {"title": "Vigil", "starts_at": "2026-03-12 18:30", "zone": "", "town": "York"}
    answer = client.post("/admin/events/add/", typed, follow=True)
    assert "It is in York, England." in list_messages(answer)[0]
    assert EventNotice.objects.get().region == "GB-ENG"


def test_an_ambiguous_typed_town_is_asked_about_at_once() -> None:
    typed = {"title": "Vigil", "starts_at": "2027-03-12 18:30", "zone": "", "town": "Springfield"}
    (text,) = list_messages(sign_in("editor").post("/admin/events/add/", typed, follow=True))
    assert "Which Springfield? Until you choose, nobody nearby sees it." in text
    assert f'<a href="/admin/events/places/#nl-place-{EventNotice.objects.get().pk}">Choose</a>' in text


def test_an_unknown_typed_town_is_said_to_be_unknown() -> None:
    typed = {"title": "Vigil", "starts_at": "2027-03-12 18:30", "zone": "", "town": "Leedz"}
    (text,) = list_messages(sign_in("editor").post("/admin/events/add/", typed, follow=True))
    assert "called “Leedz”. Until you choose a town, nobody nearby sees it." in text
    assert "Which" not in text


def test_an_ambiguous_typed_town_becomes_a_question() -> None:
    event = type_event(town="Springfield", starts_at="2027-03-12 18:30")
    assert event.latitude is None
    page = sign_in("writer").get("/admin/events/places/").content.decode()
    assert "Candlelight vigil" in page
    assert "Springfield, Illinois" in page


def test_a_typed_event_speaks_of_no_source_and_no_coordinates() -> None:
    event = type_event(town="Leeds")
    EventNotice.objects.update(edited_fields=["title"])
    page = sign_in("editor").get(f"/admin/events/edit/{event.pk}/").content.decode()
    assert "Created here on" in page
    assert "updates from the source" not in page
    assert "Leeds, England</strong>." in page


def test_the_newsletters_time_zone_is_named_only_if_they_share_one(publication: Publication) -> None:
    client = sign_in("editor")
    assert "We take the time zone from its town, else London." in client.get("/admin/events/add/").content.decode()
    Publication.objects.create(
        name="El boletín", slug="boletin", zone="Europe/Madrid", brand=publication.brand, schedule="0 9 * * thu",
        mailing_list=publication.mailing_list, from_email="letters@example.org",
    )  # fmt: skip
    page = client.get("/admin/events/add/").content.decode()
    assert "We take the time zone from its town; if it is unknown, choose one." in page


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


def test_a_translation_moves_when_staff_move_its_original() -> None:
    event = make_event("Evening", where=HOUSTON, zone="America/Chicago", source=None)
    translation = make_event(
        "Velada", where=HOUSTON, zone="America/Chicago", source=None, translation_of=event, language="es"
    )
    fields = {
        "title": event.title, "starts_at": "2026-03-11 03:30", "zone": event.zone, "place_text": "Houston", "region": "US-TX",
        "country": "US", "latitude": str(event.latitude), "longitude": str(event.longitude), "town": "Galveston",
        "cancelled": "on",
    }  # fmt: skip
    answer = sign_in("writer").post(f"/admin/events/edit/{event.pk}/", fields)
    assert answer.status_code == 302
    event.refresh_from_db()
    translation.refresh_from_db()
    assert (translation.starts_at, translation.town) == (event.starts_at, "Galveston")
    assert (translation.cancelled, translation.title) == (True, "Velada")


def test_saving_a_translation_removes_the_note_that_its_original_changed() -> None:
    event = make_event("Evening", where=HOUSTON, zone="America/Chicago", source=None)
    translation = make_event(
        "Velada", where=HOUSTON, zone="America/Chicago", source=None, translation_of=event, language="es"
    )
    EventNotice.objects.filter(pk=translation.pk).update(place_text="Sala del puerto")
    event.place_text = "Town Hall"
    record_event_change(event, now=NOW)
    translation.refresh_from_db()
    fields = {
        "title": "Velada", "starts_at": "2026-03-11 03:30", "zone": event.zone, "place_text": "Ayuntamiento", "language": "es",
        "translation_of": event.pk, "region": "US-TX", "country": "US", "latitude": str(event.latitude),
        "longitude": str(event.longitude), "town": event.town,
    }  # fmt: skip
    address, client = f"/admin/events/edit/{translation.pk}/", sign_in("writer")
    assert "The place of its original has changed." in client.get(address).content.decode()
    assert client.post(address, fields).status_code == 302
    translation.refresh_from_db()
    assert (translation.note, translation.place_text) == ("", "Ayuntamiento")
