"""Staff are asked for the location of an event if its source leaves it open. Until then it is near nobody."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from newsletter.content.ingesting.ingest import ingest_source
from newsletter.content.ingesting.location_questions import answer_location_question
from newsletter.issues.snapshot.resolve_blocks import resolve_event
from newsletter.issues.visible.nearby_events import RecipientLocation, choose_events_for
from newsletter.models import EventNotice, LocationAnswer, Source
from subscribers.places.search import find_place
from tests.support.fixtures import NOW
from tests.support.web_site import Site, serve_site

pytestmark = pytest.mark.django_db

EVENT = """BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260301T000000Z\r\nDTSTART{start}\r\nSUMMARY:{uid}\r\nLOCATION:{place}\r\n\
{more}END:VEVENT\r\n"""
READERS = [
    RecipientLocation("US", "US-MO", "Springfield", 37.22, -93.30),
    RecipientLocation("US", "US-IL", "Springfield", 39.80, -89.64),
    RecipientLocation("US", "US-MA", "Springfield", 42.10, -72.59),
    RecipientLocation("GB", "GB-ENG", "London", 51.51, -0.13),
]


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as served:
        yield served


def read(
    site: Site, *events: tuple[str, str], region: str = "", start: str = ":20260615T180000Z", more: str = ""
) -> Source:
    body = "".join(EVENT.format(uid=uid, place=place, start=start, more=more) for uid, place in events)
    url = site.put(
        "/events.ics", f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\n{body}END:VCALENDAR\r\n",
        Content_Type="text/calendar",
    )  # fmt: skip
    source, _ = Source.objects.get_or_create(
        name="Calendar", defaults={"kind": "calendar", "url": url, "region": region}
    )
    ingest_source(source=source, now=NOW)
    return source


def shown_to(event: EventNotice) -> list[str]:
    kinds = (
        choose_events_for(who, events=[resolve_event(event)], limit=3, radius_km=80, host=False).kind for who in READERS
    )
    return [who.region for who, kind in zip(READERS, kinds, strict=True) if kind != "nothing"]


def test_an_uncertain_location_is_a_question_and_near_nobody(site):
    read(site, ("vigil", "Town Hall\\, Springfield"), region="GB-ENG")
    event = EventNotice.objects.get()
    regions = {one["region"] for one in event.place_question["candidates"]}
    assert {"US-MO", "US-IL", "US-MA"} <= regions
    assert event.latitude is None
    assert shown_to(event) == []


def test_an_answer_applies_to_the_same_text_of_that_source(site):
    source = read(site, ("vigil", "Town Hall\\, Springfield"), ("talk", "town hall\\, springfield"))
    staff = User.objects.create_user("editor")
    chosen = find_place("Springfield, Illinois").place
    assert chosen is not None
    assert answer_location_question(event=EventNotice.objects.get(title="vigil"), town=chosen, by=staff, now=NOW) == 2
    for event in EventNotice.objects.all():
        assert (event.region, event.note, event.place_question) == ("US-IL", "", {})
        assert shown_to(event) == ["US-IL"]
    read(site, ("vigil", "Town Hall\\, Springfield"), ("walk", "Town Hall\\, Springfield"), ("run", "Springfield"))
    walk, run = EventNotice.objects.get(title="walk"), EventNotice.objects.get(title="run")
    assert (walk.region, walk.place_question) == ("US-IL", {})
    assert run.latitude is None
    assert run.place_question
    assert source.location_answers.get().by == staff


def test_an_answer_applies_to_no_other_source(site):
    read(site, ("vigil", "Springfield"))
    other = Source.objects.create(name="Other", kind="calendar", url=f"{site.url}/events.ics")
    ingest_source(source=other, now=NOW)
    chosen = find_place("Springfield, Illinois").place
    answer_location_question(event=EventNotice.objects.get(source__name="Calendar"), town=chosen, by=None, now=NOW)
    assert EventNotice.objects.get(source=other).place_question


def test_an_answer_does_not_change_certain_locations(site):
    source = read(site, ("vigil", "Leeds\\, UK"))
    LocationAnswer.objects.create(
        source=source, words="leeds uk", town="Paris", country="FR", latitude=48.9, longitude=2.4, at=NOW
    )
    EventNotice.objects.all().delete()
    Source.objects.update(etag="", last_modified="")
    read(site, ("vigil", "Leeds\\, UK"))
    assert EventNotice.objects.get().town == "Leeds"


def test_an_answer_gives_a_floating_event_its_zone(site):
    source = read(site, ("vigil", "Springfield"), start=":20260615T180000")
    chosen = find_place("Springfield, Illinois").place
    answer_location_question(event=EventNotice.objects.get(), town=chosen, by=None, now=NOW)
    source.refresh_from_db()
    assert source.due_at is None
    ingest_source(source=source, now=NOW + timedelta(hours=1))
    event = EventNotice.objects.get()
    assert (event.zone, event.starts_at.isoformat()) == ("America/Chicago", "2026-06-15T23:00:00+00:00")


def test_the_same_text_of_a_source_has_one_answer(site):
    source = read(site, ("vigil", "Springfield"))
    row = {"source": source, "words": "springfield", "country": "US", "latitude": 1.0, "longitude": 1.0, "at": NOW}
    LocationAnswer.objects.create(**row)
    with pytest.raises(IntegrityError), transaction.atomic():
        LocationAnswer.objects.create(**row)


def test_coordinates_of_apple_and_geo_are_read(site):
    apple = (
        'X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-ADDRESS="1 High Street";X-APPLE-RADIUS=70;'
        'X-TITLE="Town Hall":geo:39.80,-89.65\r\n'
    )
    read(site, ("vigil", "Town Hall\\, Springfield"), more=apple)
    event = EventNotice.objects.get()
    assert (event.region, event.latitude, event.place_question) == ("US-IL", 39.80, {})


def test_a_location_that_staff_wrote_is_no_longer_a_question(site):
    read(site, ("vigil", "Springfield"))
    event = EventNotice.objects.get()
    EventNotice.objects.update(edited_fields=["latitude", "longitude"], latitude=1.0, longitude=1.0, source_sha256="")
    Source.objects.update(etag="", last_modified="")
    read(site, ("vigil", "Springfield"))
    event.refresh_from_db()
    assert (event.place_question, event.note, event.latitude) == ({}, "", 1.0)
