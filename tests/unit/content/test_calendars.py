# ruff: noqa: E501  (tables of examples read best one a line)
"""Calendars become events: repetition, zones, all-day and cancelled events, locations."""

import time
from datetime import UTC, date, datetime, timedelta

import pytest

from newsletter.content.parsing.calendars.calendar import parse_calendar
from newsletter.content.parsing.documents import Document
from newsletter.content.parsing.entries import EventEntry, Parsed
from newsletter.content.parsing.sandbox.process import ParserProcess

START, END = datetime(2026, 11, 1, tzinfo=UTC), datetime(2027, 11, 1, tzinfo=UTC)


def calendar(*events: str, head: str = "") -> Parsed:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:test", *head.split()]
    for event in events:
        lines += ["BEGIN:VEVENT", *event.split("\n"), "END:VEVENT"]
    body = "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()
    return parse_calendar(body, url="https://cal.example/c.ics", window_start=START, window_end=END)


def only(event: str, *, head: str = "") -> EventEntry:
    (entry,) = calendar(f"UID:1\nSUMMARY:Talk\n{event}", head=head).events
    return entry


def test_an_event_keeps_the_data_of_its_calendar() -> None:
    entry = only(
        "DTSTART;TZID=Europe/London:20261203T190000\nDTEND;TZID=Europe/London:20261203T203000\nLOCATION:12 High Street\\, Leeds LS1 4AB\n"
        "GEO:53.79;-1.54\nURL:/talk\nDESCRIPTION:Come and\\n<b>listen</b> & ask."
    )
    assert entry.starts_at == datetime(2026, 12, 3, 19, 0, tzinfo=UTC)
    assert entry.ends_at == datetime(2026, 12, 3, 20, 30, tzinfo=UTC)
    assert (entry.zone, entry.place, entry.url) == (
        "Europe/London",
        "12 High Street, Leeds LS1 4AB",
        "https://cal.example/talk",
    )
    assert (entry.latitude, entry.longitude) == (53.79, -1.54)
    assert entry.summary == "Come and\nlisten & ask."
    assert not entry.all_day
    assert not entry.note


def test_a_weekly_event_keeps_its_wall_clock_when_clocks_change() -> None:
    parsed = calendar("UID:1\nSUMMARY:Talk\nDTSTART;TZID=America/Chicago:20261025T190000\nRRULE:FREQ=WEEKLY;COUNT=3")
    assert [entry.starts_at for entry in parsed.events] == [
        datetime(2026, 11, 2, 1, 0, tzinfo=UTC),
        datetime(2026, 11, 9, 1, 0, tzinfo=UTC),
    ]


def test_a_moved_and_cancelled_occurrence_keeps_its_identity() -> None:
    parsed = calendar(
        "UID:1\nSUMMARY:Talk\nDTSTART:20261105T190000Z\nRRULE:FREQ=WEEKLY;COUNT=4\nEXDATE:20261119T190000Z",
        "UID:1\nSUMMARY:Moved\nRECURRENCE-ID:20261112T190000Z\nDTSTART:20261113T190000Z\nSTATUS:CANCELLED",
    )
    assert [(entry.external_id, entry.title, entry.cancelled) for entry in parsed.events] == [
        ("1#20261105T190000Z", "Talk", False),
        ("1#20261112T190000Z", "Moved", True),
        ("1#20261126T190000Z", "Talk", False),
    ]


def test_a_tentative_event_is_one_to_check() -> None:
    entry = only("DTSTART:20261105T190000Z\nSTATUS:TENTATIVE")
    assert "only planned tentatively" in entry.note
    assert not entry.cancelled
    assert not only("DTSTART:20261105T190000Z\nSTATUS:CONFIRMED").note


def test_an_all_day_event_has_its_day() -> None:
    entry = only("DTSTART;VALUE=DATE:20261105\nDTEND;VALUE=DATE:20261107")
    assert (entry.all_day, entry.day, entry.ends_at) == (True, date(2026, 11, 5), datetime(2026, 11, 7, tzinfo=UTC))


def test_an_all_day_event_repeats_by_days() -> None:
    parsed = calendar("UID:1\nSUMMARY:Vigil\nDTSTART;VALUE=DATE:20261105\nRRULE:FREQ=MONTHLY;COUNT=2")
    assert [entry.external_id for entry in parsed.events] == ["1#2026-11-05", "1#2026-12-05"]


@pytest.mark.requirement("X9")
def test_an_unknown_zone_is_flagged_not_guessed() -> None:
    entry = only("DTSTART;TZID=Mars/Olympus:20261105T190000")
    assert (entry.zone, entry.floating, entry.starts_at) == ("", True, datetime(2026, 11, 5, 19, tzinfo=UTC))
    assert "Mars/Olympus" in entry.zone_note
    assert entry.unknown_zone


def test_a_time_without_a_zone_is_read_in_the_calendars_zone() -> None:
    entry = only("DTSTART:20261105T190000", head="X-WR-TIMEZONE:America/Chicago")
    assert (entry.starts_at, entry.zone, entry.note) == (datetime(2026, 11, 6, 1, 0, tzinfo=UTC), "America/Chicago", "")
    assert (
        "America/Chicago"
        in only("DTSTART;TZID=Mars/Olympus:20261105T190000", head="X-WR-TIMEZONE:America/Chicago").note
    )
    assert "names no time zone" in only("DTSTART:20261105T190000").zone_note
    assert only("DTSTART:20261105T190000Z", head="X-WR-TIMEZONE:America/Chicago").zone == "America/Chicago"
    assert "names no time zone" in only("DTSTART:20261105T190000", head="X-WR-TIMEZONE:../etc").zone_note


def test_an_impossible_end_is_left_out() -> None:
    entry = only("DTSTART:20261105T190000Z\nDTEND:20261105T180000Z")
    assert entry.ends_at is None
    assert "end" in entry.note


def test_a_duration_gives_the_end() -> None:
    assert only("DTSTART:20261105T190000Z\nDURATION:PT90M").ends_at == datetime(2026, 11, 5, 20, 30, tzinfo=UTC)


@pytest.mark.parametrize("place", ["https://zoom.us/j/1", "Zoom", "Online"])
def test_a_location_that_is_a_link_is_online(place: str) -> None:
    entry = only(f"DTSTART:20261105T190000Z\nLOCATION:{place}")
    assert entry.online
    assert entry.url == (place if "//" in place else "")


@pytest.mark.parametrize("geo", ["abc", "95;0", "1", "nan;nan"])
def test_invalid_coordinates_are_left_out(geo: str) -> None:
    assert only(f"DTSTART:20261105T190000Z\nGEO:{geo}").latitude is None


def test_an_event_without_uid_gets_an_identity() -> None:
    parsed = calendar("SUMMARY:One\nDTSTART:20261105T190000Z", "SUMMARY:Two\nDTSTART:20261105T190000Z")
    assert len({entry.external_id for entry in parsed.events}) == 2


@pytest.mark.requirement("X9")
@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("SUMMARY:A", "no start"),
        ("DTSTART:20261105T190000Z", "no title"),
        ("SUMMARY:A\nDTSTART:2026", "DTSTART"),
        ("SUMMARY:A\nDTSTART:20261105T190000Z\nRRULE:FREQ=SECONDLY", "every hour or more"),
        ("SUMMARY:A\nDTSTART:20261105T190000Z\nRRULE:COUNT=3", "how often"),
        ("SUMMARY:A\nDTSTART:20261105T190000Z\nRRULE:FREQ=DAILY;BYMINUTE=" + ",".join(map(str, range(60))), "times a day"),
        ("SUMMARY:A\nDTSTART:20261105T190000Z\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "gives no date"),
        ("SUMMARY:A\nDTSTART:20261105T190000Z\nRRULE:FREQ=MONTHLY;BYDAY=MO;BYSETPOS=40", "gives no date"),
        ("SUMMARY:A\nDTSTART:20261105T190000Z\nRRULE:FREQ=YEARLY;RSCALE=CHINESE;BYMONTH=1", "cannot be understood"),
        ("SUMMARY:A\nDTSTART:20261105T190000Z\nRRULE:FREQ=YEARLY;RSCALE=CHINESE", "cannot be understood"),
        ("SUMMARY:A\nDTSTART:00010101T100000Z\nRRULE:FREQ=DAILY", "1900"),
        ("SUMMARY:A\nDTSTART:20261105T190000Z\nRDATE:" + ",".join(f"2026{m:02}{d:02}T{h:02}0000Z" for m in range(1, 13) for d in range(1, 28) for h in range(10)), "lists more than"),
        ("SUMMARY:A\nDTSTART:20261105T190000Z\nDTSTART:20261106T190000Z", "cannot be read"),
    ],
)  # fmt: skip
def test_an_event_that_cannot_be_used_is_set_aside_at_once(event: str, reason: str) -> None:
    started = time.process_time()
    parsed = calendar(f"UID:bad\n{event}", "UID:good\nSUMMARY:Good\nDTSTART:20261105T190000Z")
    assert [entry.title for entry in parsed.events] == ["Good"]
    assert reason in parsed.set_aside[0].reason
    assert time.process_time() - started < 1


@pytest.mark.requirement("X9")
def test_at_most_500_dates_of_400_days_are_read() -> None:
    parsed = calendar("UID:1\nSUMMARY:A\nDTSTART:20200101T000000Z\nRRULE:FREQ=DAILY;BYHOUR=9,18")
    assert len(parsed.events) == 500
    body = b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:A\r\nDTSTART:20261101T100000Z\r\nRRULE:FREQ=DAILY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    far = parse_calendar(body, url="https://cal.example/", window_start=START, window_end=START.replace(year=2096))
    assert len(far.events) == 400


def test_dates_beyond_the_limit_are_left_out_with_a_reason() -> None:
    parsed = calendar(*(f"UID:{n}\nSUMMARY:A\nDTSTART:20261105T190000Z" for n in range(510)))
    assert len(parsed.events) == 500
    assert parsed.set_aside[0].entry == "10 later dates"
    assert parsed.complete_until == datetime(2026, 11, 5, 19, tzinfo=UTC)


def test_events_outside_the_window_are_left_out() -> None:
    parsed = calendar("UID:1\nSUMMARY:A\nDTSTART:20201105T190000Z", "UID:2\nSUMMARY:B\nDTSTART:20301105T190000Z")
    assert (parsed.events, parsed.set_aside, parsed.error) == ((), (), "")


@pytest.mark.parametrize(
    ("body", "words"),
    [(b"<html>", "not a calendar"), (b"", "not a calendar"), (b"BEGIN:VCALENDAR\r\nEND:VEVENT\r\n", "damaged")],
)
def test_a_document_that_is_not_a_calendar_is_reported(body: bytes, words: str) -> None:
    assert words in parse_calendar(body, url="https://cal.example/", window_start=START, window_end=END).error


def test_unread_events_of_a_large_calendar_are_not_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("newsletter.content.parsing.calendars.calendar._MAX_SERIES", 2)
    parsed = calendar(*(f"UID:{n}\nSUMMARY:A\nDTSTART:20261105T190000Z" for n in range(3)))
    assert (len(parsed.events), parsed.set_aside[0].entry, parsed.complete_until) == (2, "More events", START)


@pytest.mark.long
def test_a_calendar_of_seven_megabytes_is_read_in_the_sandbox(patient_parser: ParserProcess) -> None:
    """The sandbox ends a reading that takes too much processor time or memory."""
    now = datetime(2026, 11, 1, 12, tzinfo=UTC)
    past = [_talk(number, day=now - timedelta(days=3 + number % 4_000)) for number in range(11_700)]
    ahead = [_talk(20_000 + number, day=now + timedelta(days=1 + number % 300)) for number in range(200)]
    weekly = [_talk(30_000 + n, day=now - timedelta(days=n), rule="RRULE:FREQ=WEEKLY\r\n") for n in range(100)]
    opening = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:test\r\n{_OWN_ZONE}"
    body = "".join([opening, *past, *weekly, *ahead, "END:VCALENDAR\r\n"]).encode()
    assert len(body) > 7_000_000
    parsed = patient_parser.parse(
        Document(kind="calendar", body=body, url="https://cal.example/c.ics", content_type="text/calendar", now=now)
    )
    assert not parsed.error
    assert parsed.listed == 12_000
    assert sum("#" not in entry.external_id for entry in parsed.events) == 200
    assert sum("#" in entry.external_id for entry in parsed.events) == 500
    assert {entry.note for entry in parsed.events} == {""}
    assert parsed.events[0].starts_at == datetime(2026, 10, 31, 18, tzinfo=UTC)
    # Its zone is an hour ahead in summer.
    assert {entry.starts_at.hour for entry in parsed.events if entry.starts_at.month in (4, 5)} == {17}


_OWN_ZONE = (
    "BEGIN:VTIMEZONE\r\nTZID:Our own time\r\n"
    "BEGIN:DAYLIGHT\r\nTZOFFSETFROM:+0000\r\nTZOFFSETTO:+0100\r\nDTSTART:19700329T010000\r\n"
    "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\nEND:DAYLIGHT\r\n"
    "BEGIN:STANDARD\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0000\r\nDTSTART:19701025T020000\r\n"
    "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
)


def _talk(number: int, *, day: datetime, rule: str = "") -> str:
    folded = "Come and listen to how an appeal is read and decided.\r\n " * 7
    return (
        f"BEGIN:VEVENT\r\nUID:{number}@cal.example\r\nDTSTAMP:20260101T000000Z\r\n"
        f"DTSTART;TZID=Our own time:{day:%Y%m%d}T180000\r\nDTEND;TZID=Our own time:{day:%Y%m%d}T200000\r\n{rule}"
        f"SUMMARY:Talk {number}\r\nLOCATION:12 High Street\\, Leeds\r\nDESCRIPTION:{folded}\r\nEND:VEVENT\r\n"
    )
