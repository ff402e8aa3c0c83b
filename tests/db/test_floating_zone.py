"""Staff say once for a source in which zone its times without a zone are. Then nobody is asked about each event."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from newsletter.content.ingesting.ingest import ingest_source
from newsletter.content.ingesting.source_changes import apply_floating_zone, schedule_changed_source
from newsletter.content.ingesting.store_events import store_event
from newsletter.content.parsing.entries import EventEntry
from newsletter.desk.home.checked_events import list_unsure_events
from newsletter.issues.corrections.changed_events import find_changed_events
from newsletter.models import EventNotice, Source
from tests.support.event_changes import send_out, tell
from tests.support.fixtures import LONDON, NOW, add_subscribers, make_issue, make_publication
from tests.support.web_site import Site, serve_site

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)
HEAD = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\n"
EVENT = (
    "BEGIN:VEVENT\r\nUID:vigil\r\nDTSTAMP:20260301T000000Z\r\nDTSTART{start}\r\nSUMMARY:Vigil\r\n{more}END:VEVENT\r\n"
)
ONLINE = "LOCATION:Online\r\n"
FLOATING, UNKNOWN = ":20260615T180000", ";TZID=Mars/Olympus:20260615T180000"


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as served:
        yield served


def put(site: Site, *, name: str = "Calendar", start: str = FLOATING, more: str = ONLINE) -> Source:
    body = HEAD + EVENT.format(start=start, more=more) + "END:VCALENDAR\r\n"
    url = site.put(f"/{name}.ics", body, Content_Type="text/calendar")
    source, _ = Source.objects.get_or_create(name=name, defaults={"kind": "calendar", "url": url})
    return source


def read(site: Site, **changes: str) -> EventNotice:
    source = put(site, **changes)
    ingest_source(source=source, now=NOW)
    return source.events.get()


def choose_zone(source: Source | None, zone: str) -> None:
    """Do what the desk, the API and the organisation's file do."""
    assert source is not None
    source.floating_zone = zone
    schedule_changed_source(source, changed=["floating_zone"], now=NOW)
    source.save()
    apply_floating_zone(source, changed=["floating_zone"], now=NOW)


def list_unsure() -> list[str]:
    return [str(event.note) for event in list_unsure_events(now=NOW)]


def test_a_chosen_zone_removes_the_note_at_once_and_for_good(site: Site) -> None:
    make_publication(zone="Europe/London")
    event = read(site)
    assert "names no time zone" in list_unsure()[0]
    choose_zone(event.source, "Europe/London")
    event.refresh_from_db()
    assert (list_unsure(), event.starts_at) == ([], datetime(2026, 6, 15, 17, tzinfo=UTC))
    assert event.changed_at is None
    ingest_source(source=Source.objects.get(), now=LATER)
    event.refresh_from_db()
    assert (event.note, event.zone, event.changed_at) == ("", "Europe/London", None)


def test_a_new_event_of_such_a_source_has_no_note(site: Site) -> None:
    choose_zone(put(site), "America/Chicago")
    event = read(site)
    assert (event.note, event.zone, event.starts_at.hour) == ("", "America/Chicago", 23)


def test_another_calendar_keeps_asking(site: Site) -> None:
    first, second = read(site), read(site, name="Other")
    choose_zone(first.source, "Europe/London")
    second.refresh_from_db()
    assert "names no time zone" in second.note
    ingest_source(source=second.source, now=LATER)
    assert len(list_unsure()) == 1


def test_an_unknown_zone_keeps_asking(site: Site) -> None:
    event = read(site, start=UNKNOWN)
    choose_zone(event.source, "Europe/London")
    ingest_source(source=Source.objects.get(), now=LATER)
    event.refresh_from_db()
    assert event.zone_basis == EventNotice.ZoneBasis.UNKNOWN
    assert "“Mars/Olympus” is not known" in event.open_note


@pytest.mark.parametrize("first", ["", "Europe/London"])
def test_another_zone_moves_upcoming_events_at_once(site: Site, first: str) -> None:
    source = put(site)
    if first:
        choose_zone(source, first)
    event = read(site)
    choose_zone(Source.objects.get(), "America/Chicago")
    event.refresh_from_db()
    moved = (event.zone, event.starts_at, event.changed_at, event.note)
    assert moved == ("America/Chicago", datetime(2026, 6, 15, 23, tzinfo=UTC), NOW, "")
    ingest_source(source=Source.objects.get(), now=LATER)
    event.refresh_from_db()
    assert (event.zone, event.starts_at, event.changed_at, event.note) == moved


@pytest.mark.parametrize("edited", [["starts_at"], ["ends_at"], ["zone"]])
def test_another_zone_moves_no_time_that_staff_wrote(site: Site, edited: list[str]) -> None:
    event = read(site, more=f"{ONLINE}DTEND:20260615T200000\r\n")
    EventNotice.objects.update(edited_fields=edited, starts_at=event.starts_at + timedelta(minutes=30), zone="UTC")
    choose_zone(event.source, "America/Chicago")
    ingest_source(source=Source.objects.get(), now=LATER)
    event.refresh_from_db()
    assert event.starts_at.hour == 18
    assert (event.ends_at, event.zone, event.note) == (datetime(2026, 6, 15, 20, tzinfo=UTC), "UTC", "")


def test_other_parts_of_the_note_stay(site: Site) -> None:
    event = read(site, more="STATUS:TENTATIVE\r\nLOCATION:Springfield\r\n")
    assert "names no time zone" in event.note
    question = str(event.place_question["note"])
    for reading in (False, True):
        if reading:
            ingest_source(source=Source.objects.get(), now=LATER)
        else:
            choose_zone(event.source, "Europe/London")
        event.refresh_from_db()
        assert event.note.startswith("The calendar says that this event is only planned tentatively.")
        assert event.note.endswith(question)
        assert "zone" not in event.note
        assert "tentatively" in event.place_question["event_note"]
        assert "zone" not in event.place_question["event_note"]


def test_a_zone_that_is_taken_back_asks_again(site: Site) -> None:
    choose_zone(put(site), "Europe/London")
    event = read(site)
    choose_zone(Source.objects.get(), "")
    ingest_source(source=Source.objects.get(), now=LATER)
    event.refresh_from_db()
    assert "names no time zone" in event.open_note


def test_a_time_of_the_place_stays_in_the_zone_of_its_place() -> None:
    source = Source.objects.create(name="AN", kind="action_network", url="https://actionnetwork.org/api/v2/events")
    start = datetime(2026, 6, 15, 18, tzinfo=UTC)
    entries = [
        EventEntry(place, "Vigil", start, place=place, floating=True, at_place=True)
        for place in ("Leeds, UK", "Online")
    ]
    for entry in entries:
        store_event(source, entry, now=NOW)
    assert len(list_unsure()) == 2
    choose_zone(source, "America/Chicago")
    for reading in (False, True):
        if reading:
            for entry in entries:
                store_event(source, entry, now=LATER)
        assert list_unsure() == []
        zones = dict(EventNotice.objects.values_list("external_id", "zone"))
        assert zones == {"Leeds, UK": "Europe/London", "Online": "America/Chicago"}


def test_a_zone_chosen_during_a_reading_holds_from_the_next_on(site: Site) -> None:
    put(site)
    reading = Source.objects.get()
    choose_zone(Source.objects.get(), "America/Chicago")
    ingest_source(source=reading, now=NOW)
    source = Source.objects.get()
    assert (source.etag, source.due_at) == ("", NOW)
    ingest_source(source=source, now=LATER)
    event = EventNotice.objects.get()
    assert (event.zone, event.note) == ("America/Chicago", "")


def test_a_cancelled_event_keeps_the_note_about_that(site: Site) -> None:
    event = read(site)
    ingest_source(source=put(site, more=f"{ONLINE}CLASS:PRIVATE\r\n"), now=LATER)
    choose_zone(Source.objects.get(), "Europe/London")
    event.refresh_from_db()
    assert (event.cancelled, event.note) == (True, "Its calendar no longer shows it to the public.")


@pytest.mark.parametrize("zone", ["London", "EST", "/etc/localtime", "Europe/Nowhere", "../UTC"])
def test_a_zone_must_be_one_of_the_iana_database(zone: str) -> None:
    source = Source(name="Calendar", kind="calendar", url="https://example.org/a.ics", floating_zone=zone)
    with pytest.raises(ValidationError, match="is not a time zone"):
        source.clean_fields()


@pytest.mark.parametrize("zone", ["London", "/etc/localtime"])
def test_the_table_refuses_what_is_no_zone(zone: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Source.objects.create(name="Calendar", kind="calendar", url="https://example.org/a.ics", floating_zone=zone)


def test_people_with_the_old_time_are_offered_a_correction(site: Site) -> None:
    publication = make_publication(zone="Europe/London")
    add_subscribers(publication, 2, where=LONDON)
    event = read(site, start=":20260310T180000")
    send_out(make_issue(publication, approved=True))
    choose_zone(event.source, "Europe/London")
    assert find_changed_events(now=NOW) == [], "it was read so already"
    choose_zone(Source.objects.get(), "America/Chicago")
    (change,) = find_changed_events(now=NOW)
    assert (change.event, change.people) == (event, 2)
    correction = tell(change.event, publication)
    assert "New time: Tuesday, 10 March, 18:00 (Chicago)." in correction.variants.get().text
    choose_zone(Source.objects.get(), "Europe/London")
    (change,) = find_changed_events(now=NOW)
    assert change.people == 2, "they have the time of Chicago now"
