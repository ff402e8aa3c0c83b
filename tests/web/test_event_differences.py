"""A note that the original of a translated event changed stays until staff settle the difference, on the page or by the API."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from newsletter.content.ingesting.location_questions import answer_location_question
from newsletter.content.ingesting.translated_events import has_same_location, record_event_change
from newsletter.models import ApiKey, EventNotice, Publication, Source
from subscribers.places.search import find_place
from tests.support.api import call, create_key
from tests.support.desk import sign_in
from tests.support.desk_forms import save
from tests.support.fixtures import HOUSTON, NOW, make_event, make_source

pytestmark = pytest.mark.django_db
TIME, PLACE = "The time of its original has changed.", "The place of its original has changed."
CHECKED = "difference_checked"
HOUSTON_ZONE = ZoneInfo("America/Chicago")
HALF_PAST_SIX = datetime(2027, 1, 12, 18, 30, tzinfo=UTC)


@pytest.fixture
def original() -> EventNotice:
    return make_event("Evening", where=HOUSTON, zone="America/Chicago", source=None)


@pytest.fixture
def translation(original: EventNotice) -> EventNotice:
    """Return a translation with a time and words for the place of its own, after its original changed both."""
    row = make_event(
        "Velada", where=HOUSTON, zone="America/Chicago", source=None, translation_of=original, language="es"
    )
    EventNotice.objects.filter(pk=row.pk).update(place_text="Sala", starts_at=row.starts_at + timedelta(hours=1))
    original.place_text, original.starts_at = "Town Hall", original.starts_at + timedelta(days=1)
    record_event_change(original, now=NOW)
    original.save()
    row.refresh_from_db()
    assert (
        row.note
        == f"{TIME} This translation has a time of its own: check it. {PLACE} This translation has a place of its own: check it."
    )
    return row


def patch(row: EventNotice, **values: object) -> str:
    answer = call(
        "patch",
        f"events/{row.pk}",
        values,
        key=create_key("content:read content:write", str(ApiKey.objects.count() + 1)),
    )
    assert answer.status_code == 200, answer.content
    row.refresh_from_db()
    return str(row.note)


def edit(row: EventNotice, **values: str) -> str:
    """Save the form of the event with these values and return its note."""
    starts = row.starts_at.astimezone(HOUSTON_ZONE)
    fields = {
        "title": row.title, "starts_at": f"{starts:%Y-%m-%d %H:%M}", "zone": row.zone, "place_text": row.place_text,
        "language": "es", "translation_of": str(row.translation_of_id), "region": row.region, "country": row.country,
        "latitude": str(row.latitude), "longitude": str(row.longitude), "town": row.town, **values,
    }  # fmt: skip
    answer = sign_in("writer").post(f"/admin/events/edit/{row.pk}/", fields)
    assert answer.status_code == 302, answer.content.decode()
    row.refresh_from_db()
    return str(row.note)


def test_a_change_of_other_fields_by_the_api_keeps_the_note(translation: EventNotice) -> None:
    note = patch(translation, summary="Habrá té.")
    assert (TIME in note, PLACE in note) == (True, True)


def test_sending_the_time_or_the_place_by_the_api_settles_that_part(translation: EventNotice) -> None:
    note = patch(translation, starts_at=translation.starts_at.isoformat())
    assert (TIME in note, PLACE in note) == (False, True)
    assert patch(translation, place_text="Ayuntamiento") == ""


def test_a_time_as_in_the_original_settles_the_time(translation: EventNotice, original: EventNotice) -> None:
    EventNotice.objects.filter(pk=translation.pk).update(starts_at=original.starts_at)
    note = patch(translation, summary="Habrá té.")
    assert (TIME in note, PLACE in note) == (False, True)


def test_a_change_of_other_fields_on_the_page_keeps_the_note(translation: EventNotice) -> None:
    note = edit(translation, summary="Habrá té.")
    assert (TIME in note, PLACE in note) == (True, True)


def test_the_page_settles_the_part_that_was_edited(translation: EventNotice) -> None:
    note = edit(translation, place_text="Ayuntamiento")
    assert (TIME in note, PLACE in note) == (True, False)


def test_staff_can_say_that_a_translation_rightly_differs(translation: EventNotice) -> None:
    assert edit(translation, **{CHECKED: "on"}) == ""
    assert CHECKED not in translation.edited_fields


def test_only_a_translation_with_such_a_note_has_the_answer(translation: EventNotice, original: EventNotice) -> None:
    client = sign_in("writer")
    assert has_answer(client, translation)
    assert not has_answer(client, original)
    EventNotice.objects.filter(pk=translation.pk).update(note="Its time is read as UTC. Check it.")
    assert not has_answer(client, translation)


@pytest.mark.parametrize("editor", ["page", "api"])
def test_the_same_words_sent_again_count_as_of_now(editor: str) -> None:
    """Staff corrected the place of the original, and the source of the translation had the right one all along."""
    original = make_event("Evening", where=HOUSTON, place_text="Town Hall, Houston")
    words = {"place_text": "Biblioteca, Houston", "source": make_source("Calendario")}
    translation = make_event("Velada", where=HOUSTON, translation_of=original, language="es", **words)
    change(original, "page", place_text="Library, Houston")
    change(translation, editor, title="Una velada")
    assert not has_same_location(translation, original)
    change(translation, editor, **({"place_text": translation.place_text} if editor == "api" else {}))
    assert has_same_location(translation, original)
    assert translation.place_text == words["place_text"]


def test_another_time_of_a_typed_event_keeps_the_words_of_its_translation(publication: Publication) -> None:
    original = make_event_in_springfield(place_text="The library")
    place = {name: getattr(original, name) for name in ("town", "region", "country", "latitude", "longitude")}
    fields = {"place_text": "Biblioteca", "source": make_source("Calendario"), "seen_at": timezone.now()}
    translation = make_event("Vigilia", where=place, translation_of=original, language="es", **fields)
    change(original, "api", starts_at="2027-01-12T18:00:00Z")
    Source.objects.update(last_success_at=timezone.now())
    translation.refresh_from_db()
    assert original.changed_at
    assert has_same_location(translation, original)


def has_answer(client: Client, row: EventNotice) -> bool:
    return f'name="{CHECKED}"' in client.get(f"/admin/events/edit/{row.pk}/").content.decode()


def test_a_note_behind_an_open_question_is_shown_after_its_answer(translation: EventNotice) -> None:
    question = {"note": "Which Springfield?", "event_note": translation.note, "candidates": []}
    ambiguous = {"town": "", "region": "", "country": "", "place_text": "Springfield"}
    EventNotice.objects.filter(pk=translation.pk).update(
        place_question=question, note="Which Springfield?", **ambiguous, latitude=None, longitude=None
    )
    assert patch(translation, summary="Habrá té.").startswith("“Springfield” could be")
    assert TIME in translation.place_question["event_note"]
    assert not has_answer(sign_in("writer"), translation)
    town = find_place("Springfield, Illinois").place
    assert town is not None
    answer_location_question(event=translation, town=town, by=None, now=NOW)
    translation.refresh_from_db()
    assert (TIME in translation.note, PLACE in translation.note) == (True, False)


def test_a_note_stays_if_the_api_makes_the_place_a_question(translation: EventNotice) -> None:
    EventNotice.objects.filter(pk=translation.pk).update(region="", country="")
    patch(translation, town="Springfield", place_text="Springfield")
    assert translation.place_question
    assert translation.place_question["event_note"].startswith(TIME)
    assert PLACE not in translation.place_question["event_note"]


def test_an_event_that_the_api_moves_online_is_asked_about_no_more() -> None:
    event = make_event("Vigil", source=None, place_text="Springfield", note="Which?", place_question={"note": "Which?"})
    assert patch(event, online=True) == ""
    assert event.place_question == {}


def test_an_answer_also_moves_the_translations_of_an_event() -> None:
    question = {"note": "Which Springfield?", "event_note": "", "candidates": []}
    event = make_event("Vigil", place_text="Springfield", note="Which Springfield?", place_question=question)
    translation = make_event("Vigilia", place_text="Springfield", source=None, translation_of=event, language="es")
    town = find_place("Springfield, Illinois").place
    assert town is not None
    answer_location_question(event=event, town=town, by=None, now=NOW)
    for row in (event, translation):
        row.refresh_from_db()
        assert (row.town, row.region, row.note, row.changed_at) == ("Springfield", "US-IL", "", NOW)
        assert row.latitude == pytest.approx(39.8, abs=0.05)


@pytest.mark.parametrize("town", ["", "Leeds"])
def test_a_translation_of_an_event_without_a_zone_keeps_its_moment(settings: Any, town: str) -> None:
    settings.TIME_ZONE = "America/New_York"
    starts = datetime(2027, 6, 12, 18, 30, 20, tzinfo=UTC)
    event = make_event("Vigil", zone="", starts_at=starts, ends_at=starts + timedelta(hours=2))
    client = sign_in("editor")
    page = client.get(f"/admin/events/add/?translation_of={event.pk}&language=es").content.decode()
    assert 'value="2027-06-12 14:30' in page
    typed = {
        "title": "Vigilia", "starts_at": "2027-06-12 14:30", "ends_at": "2027-06-12 16:30", "zone": "", "town": town,
        "translation_of": str(event.pk), "language": "es",
    }  # fmt: skip
    assert client.post("/admin/events/add/", typed).status_code == 302
    translation = EventNotice.objects.get(title="Vigilia")
    assert (translation.zone, translation.starts_at, translation.ends_at) == ("", event.starts_at, event.ends_at)


@pytest.mark.parametrize(
    ("zone", "zone_after", "later"),
    [("", "America/Chicago", timedelta(hours=6)), ("Europe/London", "Europe/London", timedelta())],
    ids=["its town", "chosen"],
)
def test_an_event_gets_the_zone_of_the_town_that_is_chosen_later(
    publication: Publication, zone: str, zone_after: str, later: timedelta
) -> None:
    client = sign_in("editor")
    typed = {
        "title": "Vigil", "starts_at": "2027-01-12 18:30", "ends_at": "2027-01-12 19:30", "zone": zone, "town": "Springfield",
    }  # fmt: skip
    assert client.post("/admin/events/add/", typed).status_code == 302
    event = EventNotice.objects.get()
    starts = datetime(2027, 1, 12, 18, 30, tzinfo=UTC)
    assert (event.zone, event.starts_at) == ("Europe/London", starts)
    town = find_place("Springfield, Illinois").place
    assert town is not None
    answer_location_question(event=event, town=town, by=None, now=NOW)
    event.refresh_from_db()
    assert (event.zone, event.starts_at, event.ends_at) == (
        zone_after,
        starts + later,
        starts + later + timedelta(hours=1),
    )


@pytest.mark.parametrize("editor", ["page", "api"])
def test_an_edit_before_the_town_is_chosen_keeps_the_zone_open(publication: Publication, editor: str) -> None:
    event = make_event_in_springfield()
    change(event, editor, title="Vigil by the river")
    assert (event.title, event.zone, event.starts_at) == ("Vigil by the river", "Europe/London", HALF_PAST_SIX)
    town = find_place("Springfield, Illinois").place
    assert town is not None
    answer_location_question(event=event, town=town, by=None, now=NOW)
    event.refresh_from_db()
    assert (event.zone, event.starts_at) == ("America/Chicago", HALF_PAST_SIX + timedelta(hours=6))


@pytest.mark.parametrize("editor", ["page", "api"])
def test_a_town_that_is_written_later_gives_the_event_its_zone(publication: Publication, editor: str) -> None:
    event = make_event_in_springfield()
    change(event, editor, town="Springfield, Illinois")
    assert (event.region, event.zone, event.place_question) == ("US-IL", "America/Chicago", {})
    assert (event.starts_at, event.ends_at) == (
        HALF_PAST_SIX + timedelta(hours=6),
        HALF_PAST_SIX + timedelta(hours=7),
    )


def test_a_moment_that_another_system_sets_stays_when_the_town_is_chosen(publication: Publication) -> None:
    event = make_event_in_springfield()
    patch(event, starts_at="2027-01-12T18:00:00Z")
    town = find_place("Springfield, Illinois").place
    assert town is not None
    answer_location_question(event=event, town=town, by=None, now=NOW)
    event.refresh_from_db()
    assert event.starts_at == datetime(2027, 1, 12, 18, tzinfo=UTC)


def make_event_in_springfield(**changes: str) -> EventNotice:
    """Return an event that staff wrote with the hours of its town, of which there are several."""
    typed = {
        "title": "Vigil", "starts_at": "2027-01-12 18:30", "ends_at": "2027-01-12 19:30", "zone": "", "town": "Springfield",
        **changes,
    }  # fmt: skip
    assert sign_in("editor").post("/admin/events/add/", typed).status_code == 302
    return EventNotice.objects.get()


def change(event: EventNotice, editor: str, **values: str) -> None:
    if editor == "page":
        save(sign_in("editor"), f"/admin/events/edit/{event.pk}/", **values)
    else:
        patch(event, **values)
    event.refresh_from_db()
