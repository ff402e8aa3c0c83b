"""Read when a calendar event starts and ends. An unknown zone is reported, never guessed."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import icalendar

from newsletter.common.messages import Message
from newsletter.content.parsing.entry_rules import BadEntry

_MAX_DURATION = timedelta(days=366)


@dataclass(frozen=True)
class EventTimes:
    """Aware moments; ``zone`` is an IANA name or ""; ``day`` is set for an all-day event; ``note`` is for staff or "".

    ``floating`` means that no zone is known: the moments are wall-clock times labelled as UTC. ``zone_note`` says why, and
    with ``unknown_zone`` a zone is named that is not known.
    """

    starts_at: datetime
    ends_at: datetime | None
    zone: str
    day: date | None
    note: str
    floating: bool = False
    zone_note: str = ""
    unknown_zone: bool = False


def read_event_times(event: icalendar.Component, *, default_zone: str) -> EventTimes:
    """Return the times of one event. A time without a zone is read in the calendar's own zone; without one it floats."""
    start = event.get("DTSTART").dt
    zone_id = str(event.get("DTSTART").params.get("TZID") or "")
    end = _end(event, start)
    calendar_zone = iana_zone(default_zone)
    if not isinstance(start, datetime):
        last = end if isinstance(end, date) and not isinstance(end, datetime) else start + timedelta(days=1)
        return make_all_day_times(start, last, zone=default_zone if calendar_zone else "")
    flagged = str(event.get("X-MICROSOFT-CDO-ALLDAYEVENT") or "").strip().upper() == "TRUE"
    on_its_clock = start if flagged or calendar_zone is None or not _is_utc(start) else start.astimezone(calendar_zone)
    days = whole_days(on_its_clock, end)
    if days is not None:
        zone = "" if _is_utc(start) else _zone_name(start, zone_id)
        return make_all_day_times(*days, zone=zone or (default_zone if calendar_zone else ""))
    zone_name, note, zone_note = _zone_name(start, zone_id), "", ""
    if zone_name == "UTC" and calendar_zone:
        zone_name = default_zone
    tz = start.tzinfo or calendar_zone or UTC
    if start.tzinfo is None:
        zone_name = default_zone if calendar_zone else ""
        if zone_id and not calendar_zone:
            zone_note = Message("The time zone “%(named)s” is not known.", named=zone_id[:60])
        elif zone_id:
            note = Message(
                "The time zone “%(named)s” is not known; the calendar’s own, %(default_zone)s, is used. Check it.",
                named=zone_id[:60],
                default_zone=default_zone,
            )
        elif not calendar_zone:
            zone_note = Message("The event names no time zone.")
    floating = start.tzinfo is None and not calendar_zone
    ends_at = None
    if isinstance(end, datetime):
        ends_at = (end if end.tzinfo and not floating else end.replace(tzinfo=tz)).astimezone(UTC)
    starts_at = (start if start.tzinfo else start.replace(tzinfo=tz)).astimezone(UTC)
    if ends_at == starts_at:
        ends_at = None
    if ends_at is not None and (ends_at < starts_at or ends_at - starts_at > _MAX_DURATION):
        ends_at, note = None, note or Message("The end of the event makes no sense and is left out.")
    return EventTimes(
        starts_at, ends_at, zone_name, None, note, floating, zone_note, unknown_zone=floating and bool(zone_id)
    )


def make_all_day_times(first: date, after: date, *, zone: str) -> EventTimes:
    """Return the times of the days from ``first`` until before ``after``. Without an IANA ``zone`` they float."""
    tz = iana_zone(zone) or UTC
    last = after if first < after <= first + _MAX_DURATION else first + timedelta(days=1)
    return EventTimes(
        starts_at=datetime.combine(first, time(), tz).astimezone(UTC),
        ends_at=datetime.combine(last, time(), tz).astimezone(UTC),
        zone=zone,
        day=first,
        note="",
        floating=not zone,
    )


def whole_days(start: datetime, end: date | None) -> tuple[date, date] | None:
    """Return the first day and the day after the last, if a time runs from midnight to midnight or one minute less."""
    if not isinstance(end, datetime) or start.time() != time():
        return None
    local = end.astimezone(start.tzinfo) if end.tzinfo and start.tzinfo else end
    if local.time().replace(second=0, microsecond=0) == time(23, 59):
        after = local.date() + timedelta(days=1)
    elif local.time() == time():
        after = local.date()
    else:
        return None
    return (start.date(), after) if after > start.date() else None


def _is_utc(start: datetime) -> bool:
    return (
        start.tzinfo is not None
        and str(getattr(start.tzinfo, "key", "UTC")) in ("UTC", "Etc/UTC")
        and not start.utcoffset()
    )


def iana_zone(name: str) -> ZoneInfo | None:
    """Return the zone of an IANA name, or None if there is none."""
    if not name or name.startswith(("/", ".")) or len(name) > 60:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _zone_name(start: datetime, zone_id: str) -> str:
    if start.tzinfo is None:
        return ""
    key = str(getattr(start.tzinfo, "key", "") or "")
    if key and iana_zone(key):
        return key
    return zone_id if iana_zone(zone_id) else ("UTC" if start.utcoffset() == timedelta(0) and not zone_id else "")


def _end(event: icalendar.Component, start: date | datetime) -> date | datetime | None:
    if event.get("DTEND") is not None:
        end = event.get("DTEND").dt
        if not isinstance(end, date):
            raise BadEntry("The end of this event is not a date.")
        return end
    if event.get("DURATION") is not None:
        length: timedelta = event.get("DURATION").dt
        return start + length
    return None
