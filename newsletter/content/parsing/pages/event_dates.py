"""Read dates of events as web pages write them: ISO 8601 and similar forms that are not ambiguous."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone

from newsletter.common.messages import Message
from newsletter.content.parsing.calendars.event_times import whole_days
from newsletter.content.parsing.entry_rules import BadEntry

_MAX_AHEAD = timedelta(days=366 * 10)
_MAX_DURATION = timedelta(days=366)
_NEAR_ISO = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"
    r"(?:[T ]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d+)?)?\s*(?P<half>[AaPp]\.?[Mm]\.?)?"
    r"\s*(?P<zone>Z|[+-]\d{1,2}(?::?\d{2})?)?)?"
)


@dataclass(frozen=True)
class Span:
    """The times of an event. ``start`` and ``end`` are aware; floating ones are wall-clock times labelled UTC.

    ``day`` is set for whole days. ``zone_note`` says for staff that no zone is named, ``note`` what else is uncertain.
    """

    start: datetime
    end: datetime | None
    day: date | None
    floating: bool
    note: str = ""
    zone_note: str = ""


def read_span(start_text: str, end_text: str, *, now: datetime) -> Span:
    """Return the times of an event. Raises BadEntry if its start cannot be read or is impossible."""
    begins, day = read_moment(start_text)
    if begins is None:
        raise BadEntry("This event has no start that can be read.")
    zone = begins.tzinfo
    start = (begins if zone else begins.replace(tzinfo=UTC)).astimezone(UTC)
    if start > now + _MAX_AHEAD:
        raise BadEntry("This event is dated in the year %(year)s, which cannot be true.", year=begins.year)
    ends, end_day = read_moment(end_text)
    if day is None and ends is not None:
        same_clock = ends if bool(ends.tzinfo) == bool(zone) else ends.replace(tzinfo=zone)
        days = whole_days(begins, same_clock)
        if days is not None:
            last = datetime.combine(days[1], time(), zone or UTC).astimezone(UTC)
            return Span(start, last, days[0], floating=zone is None)
    if day is not None:
        last_day = end_day or (ends.date() if ends else day)
        last_day = last_day if day <= last_day <= day + _MAX_DURATION else day
        return Span(start, datetime.combine(last_day + timedelta(days=1), time(), UTC), day, floating=True)
    end = None
    if ends is not None:
        end = (ends if ends.tzinfo and zone else ends.replace(tzinfo=zone or UTC)).astimezone(UTC)
    note, zone_note = "", "" if zone else Message("The event names no time zone.")
    if end is not None and end - start > _MAX_DURATION:
        end, note = None, Message("The end of the event makes no sense and is left out.")
    return Span(start, end if end is not None and end >= start else None, None, zone is None, note, zone_note)


@dataclass(frozen=True)
class Times:
    """The start and the end of an event. ``note`` tells staff what was left out; otherwise it is ""."""

    starts_at: datetime
    ends_at: datetime | None
    note: str = ""


def check_times(start: datetime | None, end: datetime | None, *, now: datetime) -> Times:
    """Return the times without an impossible end. Raises BadEntry for no start, or one more than ten years ahead."""
    if start is None:
        raise BadEntry("This event has no start that can be read.")
    if start > now + _MAX_AHEAD:
        raise BadEntry("This event is dated in the year %(year)s, which cannot be true.", year=start.year)
    if end is not None and (end < start or end - start > _MAX_DURATION):
        return Times(start, None, Message("The end of the event makes no sense and is left out."))
    return Times(start, None if end == start else end)


def read_moment(text: str) -> tuple[datetime | None, date | None]:
    """Return a text as a moment, naive if it names no zone, and as a day if it names no hour."""
    stripped = text.strip()
    try:
        moment, day = _read(stripped)
        if moment is not None:
            moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
            (moment + _MAX_DURATION, moment - _MAX_DURATION)
    except (ValueError, OverflowError):
        return None, None
    return moment, day


def _read(text: str) -> tuple[datetime | None, date | None]:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        pass
    else:
        return datetime.combine(day, time()), day
    try:
        return datetime.fromisoformat(text), None
    except ValueError:
        match = _NEAR_ISO.fullmatch(text)
    if match is None:
        return None, None
    day = date(int(match["year"]), int(match["month"]), int(match["day"]))
    if match["hour"] is None:
        return datetime.combine(day, time()), day
    hour = int(match["hour"])
    if match["half"]:
        if not 1 <= hour <= 12:
            return None, None
        hour = hour % 12 + (12 if match["half"][0] in "Pp" else 0)
    clock = time(hour, int(match["minute"]), int(match["second"] or 0), tzinfo=_zone(match["zone"]))
    return datetime.combine(day, clock), None


def _zone(text: str | None) -> timezone | None:
    if not text:
        return None
    if text == "Z":
        return UTC
    digits = text[1:].replace(":", "")
    hours, minutes = (digits[:-2], digits[-2:]) if len(digits) > 2 else (digits, "0")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if text[0] == "-" else offset)
