"""Compute due times from five cron fields of wall-clock time in an IANA zone. It reads no tables.

A time that does not exist (spring) is due at the first moment after the gap. A time that comes twice (autumn) is due
the first time. Weekday numbers become names, because tools disagree on what 1 means.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from newsletter.common.errors import BadSchedule
from newsletter.common.messages import Message, describe_hours

WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LOCAL = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True)
class Due:
    """A due time: ``local`` is ``YYYY-MM-DDTHH:MM`` without offset, ``at`` the instant in UTC."""

    local: str
    at: datetime


def check_schedule(*, schedule: str, zone: str) -> str:
    """Return the schedule with weekdays as names. Raises BadSchedule."""
    fields = schedule.split()
    if len(fields) != 5:
        raise BadSchedule(
            "“%(schedule)s” is not a schedule: it needs five fields, minute hour day month weekday, "
            "such as “0 9 * * thu”.",
            schedule=schedule,
        )
    _zone(zone)
    fields[4] = _name_weekdays(fields[4].lower())
    expression = " ".join(fields)
    try:
        next(CronSim(expression, datetime(2026, 1, 1)))  # noqa: DTZ001 - wall clock on purpose
    except (CronSimError, StopIteration) as error:
        raise BadSchedule(
            "“%(schedule)s” is not a schedule: %(reason)s.",
            schedule=schedule,
            reason=error or Message("there is no such date"),
        ) from error
    return expression


def due_after(moment: datetime, *, schedule: str, zone: str) -> Iterator[Due]:
    """Yield every due time after an instant, in order, without end. Raises BadSchedule at the first one."""
    local_zone = _zone(zone)
    start = moment.astimezone(local_zone).replace(tzinfo=None) - timedelta(hours=3)
    last = moment
    try:
        times = CronSim(schedule, start)
    except CronSimError as error:
        raise BadSchedule(
            "“%(schedule)s” is not a schedule: %(reason)s.", schedule=schedule, reason=str(error)
        ) from error
    for wall in times:
        due = Due(local=wall.strftime(_LOCAL), at=_instant(wall, local_zone))
        if due.at > last:
            last = due.at
            yield due


def parse_due(local: str, *, zone: str) -> Due:
    """Return the due time that a person gave as ``YYYY-MM-DDTHH:MM`` or with an offset. Raises BadSchedule."""
    local_zone = _zone(zone)
    try:
        parsed = datetime.fromisoformat(local)
    except ValueError as error:
        raise BadSchedule("“%(local)s” is not a date and time: write it as 2026-11-26T09:00.", local=local) from error
    wall = parsed.astimezone(local_zone).replace(tzinfo=None) if parsed.tzinfo else parsed
    wall = wall.replace(second=0, microsecond=0)
    return Due(local=wall.strftime(_LOCAL), at=_instant(wall, local_zone))


def describe(*, schedule: str, zone: str, lead_hours: int) -> str:
    """Return the schedule as text: “Every Thursday 09:00 (Europe/London), assembled 24 hours before”."""
    minute, hour, day, month, weekday = schedule.split()
    names = {
        "mon": Message("Every Monday"),
        "tue": Message("Every Tuesday"),
        "wed": Message("Every Wednesday"),
        "thu": Message("Every Thursday"),
        "fri": Message("Every Friday"),
        "sat": Message("Every Saturday"),
        "sun": Message("Every Sunday"),
    }
    lead = Message("assembled %(lead)s before", lead=describe_hours(lead_hours))
    if day == month == "*" and minute.isdecimal() and hour.isdecimal() and (weekday == "*" or weekday in names):
        which = Message("Every day") if weekday == "*" else names[weekday]
        return Message(
            "%(which)s %(time)s (%(zone)s), %(lead)s",
            which=which,
            time=f"{int(hour):02d}:{int(minute):02d}",
            zone=zone,
            lead=lead,
        )
    if month == weekday == "*" and day.isdecimal() and minute.isdecimal() and hour.isdecimal():
        return Message(
            "Day %(day)s of every month, %(hour)s:%(minute)s (%(zone)s), %(lead)s",
            day=day,
            hour=f"{int(hour):02d}",
            minute=f"{int(minute):02d}",
            zone=zone,
            lead=lead,
        )
    return Message("“%(schedule)s” (%(zone)s), %(lead)s", schedule=schedule, zone=zone, lead=lead)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadSchedule("“%(name)s” is not a time zone: write one such as Europe/London.", name=name) from error


def _instant(wall: datetime, zone: ZoneInfo) -> datetime:
    instant = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return instant
    return _end_of_gap(wall, zone)


def _end_of_gap(wall: datetime, zone: ZoneInfo) -> datetime:
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    low, high = min(before, after), max(before, after)
    offset = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def _name_weekdays(field: str) -> str:
    head, slash, step = field.partition("/")
    parts = [
        "-".join(WEEKDAYS[int(end)] if end.isdecimal() and int(end) < len(WEEKDAYS) else end for end in part.split("-"))
        for part in head.split(",")
    ]
    return ",".join(parts) + slash + step


def find_end_between(start: time | None, end: time | None, *, now: datetime, zone: tzinfo) -> datetime | None:
    """Return when the hours from ``start`` to ``end`` of each day end, or None outside of them or without them.

    ``end`` may be on the next day. Equal times are no hours.
    """
    if start is None or end is None or start == end:
        return None
    local = now.astimezone(zone)
    clock = local.time()
    if not (start <= clock < end if start < end else clock >= start or clock < end):
        return None
    day = local.date() if clock < end else local.date() + timedelta(days=1)
    return datetime.combine(day, end, zone).astimezone(now.tzinfo)
