"""When a calendar event starts and ends. An unknown zone is said to be so, never guessed in silence."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import icalendar

from newsletter.content.calendar_rules import part
from newsletter.content.entry_rules import BadEntry

_LONGEST = timedelta(days=366)


@dataclass(frozen=True)
class When:
    """Aware moments; ``zone`` an IANA name or ""; ``day`` set for an all-day event; ``note`` for staff or "".

    ``floating``: no zone is known, and the moments are a wall clock that bears UTC.
    """

    starts_at: datetime
    ends_at: datetime | None
    zone: str
    day: date | None
    note: str
    floating: bool = False


def read_when(event: icalendar.Component, *, default_zone: str) -> When:
    """The times of one event. A time without a zone is read in the calendar's own zone, else it floats."""
    start = part(event, "DTSTART").dt
    named = str(part(event, "DTSTART").params.get("TZID") or "")
    end = _end(event, start)
    calendar_zone = iana_zone(default_zone)
    if not isinstance(start, datetime):
        zone = calendar_zone or UTC
        last = end if isinstance(end, date) and not isinstance(end, datetime) else start + timedelta(days=1)
        return When(
            starts_at=datetime.combine(start, time(), zone).astimezone(UTC),
            ends_at=datetime.combine(last, time(), zone).astimezone(UTC),
            zone=default_zone if calendar_zone else "",
            day=start,
            note="",
            floating=not calendar_zone,
        )
    zone_name, note = _zone_name(start, named), ""
    if zone_name == "UTC" and calendar_zone:
        zone_name = default_zone
    tz = start.tzinfo or calendar_zone or UTC
    if start.tzinfo is None:
        zone_name = default_zone if calendar_zone else ""
        if named and not calendar_zone:
            note = f"The time zone “{named[:60]}” is not known."
        elif named:
            note = f"The time zone “{named[:60]}” is not known; the calendar's own, {default_zone}, is used. Check it."
        elif not calendar_zone:
            note = "The event names no time zone."
    floating = start.tzinfo is None and not calendar_zone
    ends_at = None
    if isinstance(end, datetime):
        ends_at = (end if end.tzinfo and not floating else end.replace(tzinfo=tz)).astimezone(UTC)
    starts_at = (start if start.tzinfo else start.replace(tzinfo=tz)).astimezone(UTC)
    if ends_at == starts_at:
        ends_at = None
    if ends_at is not None and (ends_at < starts_at or ends_at - starts_at > _LONGEST):
        ends_at, note = None, note or "The end of the event makes no sense and is left out."
    return When(starts_at, ends_at, zone_name, None, note, floating)


def iana_zone(name: str) -> ZoneInfo | None:
    """The zone of an IANA name, or None when there is none."""
    if not name or name.startswith(("/", ".")) or len(name) > 60:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _zone_name(start: datetime, named: str) -> str:
    if start.tzinfo is None:
        return ""
    key = str(getattr(start.tzinfo, "key", "") or "")
    if key and iana_zone(key):
        return key
    return named if iana_zone(named) else ("UTC" if start.utcoffset() == timedelta(0) and not named else "")


def _end(event: icalendar.Component, start: date | datetime) -> date | datetime | None:
    if part(event, "DTEND") is not None:
        found = part(event, "DTEND").dt
        if not isinstance(found, date):
            raise BadEntry("The end of this event is not a date.")
        return found
    if part(event, "DURATION") is not None:
        length: timedelta = part(event, "DURATION").dt
        return start + length
    return None
