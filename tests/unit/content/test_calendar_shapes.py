"""Calendars as Outlook, Google, Apple and people write them give exactly the expected events."""

from datetime import UTC, date, datetime

import pytest

from newsletter.content.parsing.calendars.calendar import parse_calendar
from newsletter.content.parsing.calendars.zone_names import find_zone_name
from newsletter.content.parsing.entries import EventEntry, Parsed
from newsletter.content.parsing.parse import Document, parse_document
from newsletter.content.parsing.sandbox.process import ParserProcess
from tests.support.sample_documents import MARKER, list_shapes, read_shape

START, END = datetime(2026, 10, 20, tzinfo=UTC), datetime(2027, 11, 1, tzinfo=UTC)
URL = "https://cal.example/c.ics"


def read(body: bytes) -> Parsed:
    return parse_calendar(body, url=URL, window_start=START, window_end=END)


def shape(name: str) -> Parsed:
    return read(read_shape("calendar", name))


def event(lines: str) -> str:
    return f"BEGIN:VEVENT\n{lines}\nEND:VEVENT\n"


def calendar(*events: str, head: str = "") -> Parsed:
    return read(f"BEGIN:VCALENDAR\n{head}{''.join(events)}END:VCALENDAR\n".encode())


def titles(parsed: Parsed) -> list[str]:
    return [entry.title for entry in parsed.events]


def by_title(parsed: Parsed) -> dict[str, EventEntry]:
    return {entry.title: entry for entry in parsed.events}


NEXT = event("UID:next\nSUMMARY:Next\nDTSTART:20261104T190000Z")


@pytest.mark.parametrize("name", list_shapes("calendar"))
def test_no_shape_of_calendar_reveals_a_private_entry(name: str) -> None:
    parsed = shape(name)
    assert not parsed.error
    assert MARKER not in repr((parsed.events, parsed.set_aside, parsed.title))


@pytest.mark.parametrize(
    ("name", "public", "withheld"),
    [
        ("private-classes.ics", ["Open evening"], 12),
        ("private-calendar.ics", [], 1),
        ("private-series-with-public-date.ics", [], 2),
        ("busy.ics", ["Open evening", "Street fair"], 7),
        ("private-from-then-on.ics", ["Reading group"] * 2, 1),
        ("private-occurrence.ics", ["Reading group"] * 3, 1),
    ],
)
def test_private_and_busy_entries_are_only_counted(name: str, public: list[str], withheld: int) -> None:
    parsed = shape(name)
    assert titles(parsed) == public
    (aside,) = parsed.set_aside
    assert aside.entry == f"{withheld} private {'entry' if withheld == 1 else 'entries'}"


def test_a_private_date_of_a_public_series_is_left_out() -> None:
    parsed = shape("private-occurrence.ics")
    assert [f"{entry.starts_at:%d}" for entry in parsed.events] == ["02", "16", "23"]
    assert parsed.private == ("weekly@example.org#20261209T190000Z",)


@pytest.mark.parametrize(
    "title", ["Busy", "busy", "FREE", "Out of Office", "Gebucht", "Occupé", "No title", "[Private]"]
)
def test_a_busy_time_without_details_is_not_an_event(title: str) -> None:
    assert not calendar(event(f"UID:1\nSUMMARY:{title}\nDTSTART:20261104T190000Z")).events


def test_an_event_called_free_with_a_description_is_an_event() -> None:
    parsed = calendar(event("UID:1\nSUMMARY:Free\nDTSTART:20261104T190000Z\nDESCRIPTION:A film about two sisters."))
    assert titles(parsed) == ["Free"]


def test_free_busy_times_and_tasks_are_not_events() -> None:
    assert titles(shape("no-events.ics")) == ["Open evening"]


def test_a_damaged_entry_is_refused_without_showing_its_title() -> None:
    parsed = shape("damaged-entries.ics")
    assert titles(parsed) == ["First", "Second", "Third"]
    refused = [(aside.entry, aside.external_id) for aside in parsed.set_aside]
    assert refused == [
        ("Entry 2", "cut@example.org"),
        ("Entry 4", "split@example.org"),
        ("Entry 6", "two@example.org"),
        ("3 private entries", ""),
    ]


def test_zones_are_found_by_the_names_that_calendars_use() -> None:
    events = by_title(shape("zone-names.ics"))
    zones = {title: (entry.zone, f"{entry.starts_at:%d %H}", entry.floating) for title, entry in events.items()}
    assert zones == {
        "windows": ("Europe/Berlin", "04 18", False),
        "described": ("Europe/Amsterdam", "04 18", False),
        "unquoted": ("Europe/Amsterdam", "04 18", False),
        "eastern": ("America/New_York", "05 00", False),
        "london": ("Europe/London", "04 19", False),
        "mozilla": ("America/Chicago", "05 01", False),
        "evolution": ("Europe/Paris", "04 18", False),
        "lower": ("Europe/London", "04 19", False),
        "located": ("Europe/Madrid", "04 18", False),
        "own": ("", "04 18", False),
        "secondly": ("", "04 19", True),
        "unknown": ("", "04 19", True),
    }


def test_only_the_entry_with_a_bad_time_zone_is_set_aside() -> None:
    (aside,) = shape("zone-names.ics").set_aside
    assert aside.entry == "Time zone Broken Zone"


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("(UTC-08:00) Pacific Time (US & Canada)", "America/Los_Angeles"),
        ("(GMT) Greenwich Mean Time : Dublin, Edinburgh, Lisbon, London", "Europe/London"),
        ("(UTC+05:30) Chennai, Kolkata, Mumbai, New Delhi", "Asia/Kolkata"),
        ("(UTC) Coordinated Universal Time", "UTC"),
        ("(GMT+01:00) Sarajevo/Warsaw/Zagreb", ""),
        ("tzone://Microsoft/Utc", "UTC"),
        ("AUS Eastern Standard Time", "Australia/Sydney"),
        ("../etc/passwd", ""),
        ("", ""),
    ],
)
def test_a_zone_is_found_by_its_name_or_not_at_all(name: str, zone: str) -> None:
    assert find_zone_name(name) == zone


def test_a_zone_definition_applies_to_its_own_calendar_only() -> None:
    zone = (
        "BEGIN:VTIMEZONE\nTZID:Ours\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:{0}\nTZOFFSETTO:{0}\n"
        "END:STANDARD\nEND:VTIMEZONE\n"
    )
    talk = event("UID:1\nSUMMARY:Talk\nDTSTART;TZID=Ours:20261104T190000")
    hours = [calendar(talk, head=zone.format(offset)).events[0].starts_at.hour for offset in ("+0200", "+0500")]
    assert hours == [17, 14]


def test_a_calendars_own_zone_may_be_a_windows_name() -> None:
    parsed = shape("google-zone.ics")
    assert (parsed.title, [(entry.zone, entry.starts_at.hour) for entry in parsed.events]) == (
        "Choirs, and lunch",
        [("America/New_York", 1), ("America/New_York", 23)],
    )


def test_all_day_events_are_recognised_in_every_form() -> None:
    events = by_title(shape("all-day.ics"))
    assert {title: entry.day for title, entry in events.items()} == {
        "With a zone": date(2026, 12, 5),
        "Without VALUE": date(2026, 12, 6),
        "Midnight to midnight": date(2026, 12, 7),
        "To the last second": date(2026, 12, 10),
        "Outlook in UTC": date(2026, 12, 11),
        "Midnight in the calendar's zone": date(2026, 12, 13),
        "A night": None,
    }
    assert events["Midnight to midnight"].ends_at == datetime(2026, 12, 9, 5, tzinfo=UTC)
    assert events["To the last second"].ends_at == datetime(2026, 12, 11, 5, tzinfo=UTC)


def test_a_clock_change_moves_no_event_on_its_own_clock() -> None:
    starts = [(entry.title, f"{entry.starts_at:%m-%d %H:%M}") for entry in shape("clocks.ics").events]
    assert starts == [
        ("Autumn", "10-29 00:00"),
        ("In the hour that comes twice", "11-01 06:30"),
        ("Autumn", "11-05 01:00"),
        ("Autumn", "11-13 01:00"),
        ("Spring", "03-21 10:00"),
        ("In the hour that is left out", "03-28 01:30"),
        ("Spring", "03-28 09:00"),
    ]


def test_only_bad_entries_are_set_aside_each_with_its_reason() -> None:
    parsed = shape("bad-entries.ics")
    assert [(entry.title, f"{entry.starts_at:%d}") for entry in parsed.events] == [
        ("Series", "02"),
        ("Good", "04"),
        ("Series", "16"),
    ]
    assert {aside.external_id: aside.reason.split(".")[0] for aside in parsed.set_aside} == {
        "b1": "This event repeats at an interval of 0",
        "b2": "This event repeats every hour or more often",
        "b4": "This event has been repeating since before 1900, so it cannot be read",
        "b5": "This event has a part that cannot be read (DTSTART)",
        "odd@example.org": "This entry contains an invalid character, so it was skipped",
        "b7": "This event has more than 10 rules or 1000 changed dates",
        "s1#20261209T190000Z": "One date of this event is changed in a way that cannot be read",
    }


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("bare-returns.ics", "Märchen und Tee"),
        ("line-feeds.ics", "Feeds and folds"),
        ("folded-character.ics", "Märchen"),
        ("utf-16.ics", "Wide"),
    ],
)
def test_lines_are_read_with_any_ending_and_folding(name: str, title: str) -> None:
    assert titles(shape(name)) == [title]


def test_apples_location_is_read_and_its_travel_time_is_not() -> None:
    walk, call = shape("apple.ics").events
    assert (walk.place, walk.latitude, walk.longitude) == ("Meadow Hall, Meadow Lane, Leeds", 53.79, -1.54)
    assert walk.starts_at == datetime(2026, 12, 4, 19, tzinfo=UTC)
    assert (call.online, call.url, call.summary) == (True, "", "")
    assert shape("apple.ics").title == "Walks"


def test_past_events_do_not_hide_the_next_one() -> None:
    past = [event(f"UID:{n}\nSUMMARY:Past\nDTSTART:20200101T190000Z\nDTEND:20200101T200000Z") for n in range(5_400)]
    parsed = calendar(*past, NEXT)
    assert (titles(parsed), parsed.set_aside) == (["Next"], ())
    assert titles(shape("past-events.ics")) == ["The next one"]


def test_a_list_of_ten_events_may_be_cut_after_the_last() -> None:
    parsed = shape("cut-list.ics")
    assert (len(parsed.events), parsed.listed_until) == (10, parsed.events[-1].starts_at)


@pytest.mark.parametrize(
    ("heavy", "reason"),
    [
        (event("UID:1\nSUMMARY:A\nDTSTART:20261104T190000Z\nDESCRIPTION:" + "x" * 5_000_000), "longer than 256 kB"),
        (event("UID:1\nSUMMARY:A\nDTSTART:20200101T190000Z\nRRULE:FREQ=DAILY") * 5_000, "more than 10 rules"),
        (
            event(
                "UID:1\nSUMMARY:A\nDTSTART:19000101T000000Z\nRRULE:FREQ=DAILY;BYHOUR=" + ",".join(map(str, range(24)))
            ),
            "takes too long",
        ),
    ],
    ids=["long", "many", "slow"],
)
def test_only_the_event_that_takes_too_long_is_refused(heavy: str, reason: str) -> None:
    parsed = calendar(heavy, NEXT)
    assert titles(parsed) == ["Next"]
    assert reason in parsed.set_aside[0].reason


@pytest.mark.long
def test_five_thousand_daily_series_hide_no_single_event(patient_parser: ParserProcess) -> None:
    daily = [event(f"UID:{n}\nSUMMARY:Daily\nDTSTART:20200101T190000Z\nRRULE:FREQ=DAILY") for n in range(5_000)]
    body = f"BEGIN:VCALENDAR\n{''.join(daily)}{NEXT}END:VCALENDAR\n".encode()
    parsed = patient_parser.parse(
        Document(kind="calendar", body=body, url=URL, content_type="text/calendar", now=START)
    )
    assert "Next" in titles(parsed)
    assert len(parsed.events) == 501
    assert parsed.complete_until is not None


def test_a_calendar_of_seven_megabytes_is_read() -> None:
    long = [event(f"UID:{n}\nSUMMARY:Talk\nDTSTART:20270101T190000Z\nDESCRIPTION:" + "x" * 1_400) for n in range(5_000)]
    body = f"BEGIN:VCALENDAR\n{''.join(long)}{NEXT}END:VCALENDAR\n".encode()
    assert len(body) > 7_000_000
    parsed = parse_document(Document(kind="calendar", body=body, url=URL, content_type="text/calendar", now=START))
    assert (len(parsed.events), parsed.events[0].title, parsed.set_aside[0].entry) == (500, "Next", "4501 later dates")


def test_an_unordered_list_that_may_be_cut_hides_any_event() -> None:
    days = [4, 2, 9, 7, 5, 3, 8, 6, 12, 10]
    parsed = calendar(*(event(f"UID:{day}\nSUMMARY:Talk\nDTSTART:202611{day:02}T190000Z") for day in days))
    assert (parsed.listed, parsed.listed_until) == (10, START)


def test_an_ordered_list_hides_only_events_after_its_last() -> None:
    parsed = calendar(*(event(f"UID:{day}\nSUMMARY:Talk\nDTSTART:202611{day:02}T190000Z") for day in (2, 4)))
    assert (parsed.listed, parsed.listed_until) == (2, datetime(2026, 11, 4, 19, tzinfo=UTC))


@pytest.mark.parametrize("zone", ["Europe", "America/Argentina"])
def test_a_zone_that_is_only_a_continent_affects_no_other_event(zone: str) -> None:
    parsed = calendar(NEXT, event(f"UID:other\nSUMMARY:Other\nDTSTART;TZID={zone}:20261105T190000"))
    assert "Next" in titles(parsed)
