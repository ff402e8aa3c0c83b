"""An event in a reader's calendar: our file and links to two web calendars, at addresses that nobody can guess."""

from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from icalendar import Calendar

from newsletter.common import languages
from newsletter.content.ingesting.translated_events import record_event_change
from newsletter.issues.snapshot.resolve_blocks import make_calendar_name
from newsletter.models import EventNotice
from tests.support.fixtures import make_event

pytestmark = pytest.mark.django_db
STARTS = datetime(2026, 12, 3, 18, 30, tzinfo=UTC)
PLACE_CHANGED = "The place of its original has changed. This translation has a place of its own: check it."


def event_of(client: Client, event: EventNotice, query: str = "") -> dict[str, object]:
    answer = client.get(f"/calendar/{make_calendar_name(event.pk)}.ics{query}")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/calendar")
    assert not answer.cookies
    (entry,) = Calendar.from_ical(answer.content).walk("VEVENT")
    return dict(entry)


def test_the_calendar_file_has_the_event_as_it_is_now(client: Client) -> None:
    event = make_event("An evening, with; marks", starts_at=STARTS, place_text="Abbey Square 1, Reading")
    entry = event_of(client, event)
    assert str(entry["SUMMARY"]) == "An evening, with; marks"
    assert entry["DTSTART"].dt == STARTS  # type: ignore[attr-defined]
    assert entry["DTEND"].dt == datetime(2026, 12, 3, 19, 30, tzinfo=UTC)  # type: ignore[attr-defined]
    assert str(entry["LOCATION"]) == "Abbey Square 1, Reading"
    EventNotice.objects.filter(pk=event.pk).update(cancelled=True)
    assert str(event_of(client, event)["STATUS"]) == "CANCELLED"


def test_a_moved_event_replaces_the_one_that_a_calendar_has(client: Client) -> None:
    event = make_event("An evening", starts_at=STARTS)
    before = event_of(client, event)
    event.starts_at += timedelta(days=1)
    record_event_change(event, now=event.seen_at + timedelta(hours=1))
    event.save()
    after = event_of(client, event)
    assert after["UID"] == before["UID"]
    assert after["DTSTART"].dt == STARTS + timedelta(days=1)  # type: ignore[attr-defined]
    assert after["DTSTAMP"].dt > before["DTSTAMP"].dt  # type: ignore[attr-defined]
    assert int(after["SEQUENCE"]) > int(before["SEQUENCE"])  # type: ignore[call-overload]


def test_an_event_of_whole_days_has_dates_without_times(client: Client) -> None:
    event = make_event(
        "A weekend",
        all_day=True,
        day=date(2026, 12, 5),
        starts_at=datetime(2026, 12, 5, tzinfo=UTC),
        ends_at=datetime(2026, 12, 7, tzinfo=UTC),
    )
    entry = event_of(client, event)
    assert entry["DTSTART"].dt == date(2026, 12, 5)  # type: ignore[attr-defined]
    assert entry["DTEND"].dt == date(2026, 12, 7)  # type: ignore[attr-defined]
    query = parse_qs(urlsplit(client.get(f"/calendar/{make_calendar_name(event.pk)}/google")["Location"]).query)
    assert query["dates"] == ["20261205/20261207"]
    query = parse_qs(urlsplit(client.get(f"/calendar/{make_calendar_name(event.pk)}/outlook")["Location"]).query)
    assert (query["startdt"], query["allday"]) == (["2026-12-05"], ["true"])


def test_a_page_offers_each_calendar_in_the_language_of_the_mail(client: Client) -> None:
    event = make_event("An evening", starts_at=STARTS, place_text="Abbey Square 1, Reading")
    name = make_calendar_name(event.pk)
    answer = client.get(f"/calendar/{name}?lang=es")
    assert answer.status_code == 200
    assert not answer.cookies
    page = answer.content.decode()
    assert "Añadir a tu calendario" in page
    assert "jueves, 3 de diciembre de 2026" in page
    assert "18:30" in page
    assert "Abbey Square 1, Reading" in page
    for ending in ("/google", "/outlook", ".ics"):
        assert f'href="/calendar/{name}{ending}?lang=es"' in page


@pytest.fixture
def translated() -> EventNotice:
    """Return an event of which readers of Spanish get a translation."""
    event = make_event("An evening of letters", starts_at=STARTS, place_text="Abbey Square 1", summary="There is tea.")
    make_event(
        "Una tarde de cartas",
        translation_of=event,
        language="es",
        summary="Habrá té.",
        url="https://example.org/es/",
        starts_at=STARTS + timedelta(days=1),
        place_text="Plaza de la Abadía 1",
    )
    return event


def test_a_calendar_gets_the_words_of_the_mail_that_led_to_it(client: Client, translated: EventNotice) -> None:
    name = make_calendar_name(translated.pk)
    page = client.get(f"/calendar/{name}?lang=es").content.decode()
    assert "Una tarde de cartas" in page
    assert "An evening of letters" not in page
    entry = event_of(client, translated, "?lang=es")
    assert str(entry["SUMMARY"]) == "Una tarde de cartas"
    assert str(entry["DESCRIPTION"]) == "Habrá té.\n\nhttps://example.org/es/"
    for ending, title in (("google", "text"), ("outlook", "subject")):
        address = client.get(f"/calendar/{name}/{ending}?lang=es")["Location"]
        assert parse_qs(urlsplit(address).query)[title] == ["Una tarde de cartas"]


def test_the_words_are_those_of_a_mail_in_a_language_without_pages(
    client: Client, translated: EventNotice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(languages, "OFFERED_LANGUAGES", (*languages.OFFERED_LANGUAGES, "it"))
    EventNotice.objects.filter(translation_of=translated).update(language="it", title="Una sera di lettere")
    name = make_calendar_name(translated.pk)
    page = client.get(f"/calendar/{name}?lang=it").content.decode()
    assert "Una sera di lettere" in page
    assert f'href="/calendar/{name}.ics?lang=it"' in page
    assert str(event_of(client, translated, "?lang=it")["SUMMARY"]) == "Una sera di lettere"


def test_the_words_change_neither_time_nor_identity(client: Client, translated: EventNotice) -> None:
    spanish, english = event_of(client, translated, "?lang=es"), event_of(client, translated)
    for name in ("UID", "DTSTART", "DTEND", "SEQUENCE"):
        assert spanish[name] == english[name]
    assert str(english["SUMMARY"]) == "An evening of letters"


def test_a_calendar_names_the_place_in_the_words_of_the_translation(client: Client, translated: EventNotice) -> None:
    name = make_calendar_name(translated.pk)
    page = client.get(f"/calendar/{name}?lang=es").content.decode()
    assert ("Plaza de la Abadía 1" in page, "Abbey Square 1" in page) == (True, False)
    assert str(event_of(client, translated, "?lang=es")["LOCATION"]) == "Plaza de la Abadía 1"
    for ending in ("google", "outlook"):
        address = client.get(f"/calendar/{name}/{ending}?lang=es")["Location"]
        assert parse_qs(urlsplit(address).query)["location"] == ["Plaza de la Abadía 1"]
    assert str(event_of(client, translated)["LOCATION"]) == "Abbey Square 1"


def test_a_calendar_names_the_town_that_the_address_leaves_out(client: Client, translated: EventNotice) -> None:
    EventNotice.objects.filter(pk=translated.pk).update(place_text="Parish hall", town="Reading", country="GB")
    assert str(event_of(client, translated)["LOCATION"]) == "Parish hall, Reading"
    address = client.get(f"/calendar/{make_calendar_name(translated.pk)}/google")["Location"]
    assert parse_qs(urlsplit(address).query)["location"] == ["Parish hall, Reading"]


@pytest.mark.parametrize(
    "own",
    [
        {"latitude": 53.8, "longitude": -1.55, "town": "Leeds"},
        {"online": True},
        {"note": PLACE_CHANGED},
        {"place_question": {"note": "Which?", "event_note": PLACE_CHANGED, "candidates": []}},
        {"place_text": ""},
    ],
    ids=["elsewhere", "online", "old words", "old words behind a question", "no words"],
)
def test_a_calendar_names_the_place_of_the_original_if_they_differ(
    client: Client, translated: EventNotice, own: dict[str, object]
) -> None:
    EventNotice.objects.filter(translation_of=translated).update(**own)
    assert str(event_of(client, translated, "?lang=es")["LOCATION"]) == "Abbey Square 1"


@pytest.mark.parametrize("query", ["?lang=fr", "?lang=xx", "?lang=en"])
def test_without_a_translation_calendars_get_the_events_own_words(
    client: Client, translated: EventNotice, query: str
) -> None:
    assert str(event_of(client, translated, query)["SUMMARY"]) == "An evening of letters"


def test_a_cancelled_translation_gives_no_words(client: Client, translated: EventNotice) -> None:
    EventNotice.objects.filter(translation_of=translated).update(cancelled=True)
    assert str(event_of(client, translated, "?lang=es")["SUMMARY"]) == "An evening of letters"


def test_the_page_of_a_cancelled_event_says_so_and_adds_it_nowhere(client: Client) -> None:
    event = make_event("An evening", starts_at=STARTS, cancelled=True)
    page = client.get(f"/calendar/{make_calendar_name(event.pk)}?lang=en").content.decode()
    assert "An event is cancelled" in page
    assert "/google" not in page
    assert ".ics" in page


def test_a_calendar_page_at_a_guessed_address_is_missing(client: Client) -> None:
    event = make_event("An evening", starts_at=STARTS)
    assert client.get(f"/calendar/{event.pk}-{'0' * 20}").status_code == 404


@pytest.mark.parametrize(("ending", "host"), [("google", "calendar.google.com"), ("outlook", "outlook.live.com")])
def test_web_calendars_open_with_the_event_filled_in(client: Client, ending: str, host: str) -> None:
    event = make_event("Tea & talk", starts_at=STARTS, place_text="Reading")
    answer = client.get(f"/calendar/{make_calendar_name(event.pk)}/{ending}")
    assert answer.status_code == 302
    assert urlsplit(answer["Location"]).hostname == host
    assert "Tea+%26+talk" in answer["Location"]
    assert answer["Referrer-Policy"] == "no-referrer"


def test_the_address_of_an_event_cannot_be_guessed(client: Client) -> None:
    event = make_event("Hidden", starts_at=STARTS)
    made = make_calendar_name(event.pk)
    for name in (f"{event.pk}", f"{event.pk}-{'0' * 20}", f"{event.pk + 1}-{made.split('-')[1]}", "x"):
        assert client.get(f"/calendar/{name}.ics").status_code == 404
    event.delete()
    assert client.get(f"/calendar/{made}.ics").status_code == 404


def test_only_icons_that_we_have_are_served(client: Client) -> None:
    answer = client.get("/m/icons/bluesky.png")
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    assert client.get("/m/icons/nonet.png").status_code == 404
