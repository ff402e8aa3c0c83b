"""Decide which repetitions of calendar events are read: those that people could attend and that need bounded work."""

import calendar
from datetime import date, datetime

import icalendar
from dateutil.rrule import rrulestr

from newsletter.content.parsing.entry_rules import BadEntry

_REFUSED_FREQUENCIES = {"SECONDLY", "MINUTELY", "HOURLY"}
_MAX_TIMES_A_DAY = 24
_MAX_DATES = 2_000
_MIN_YEAR = 1900
_PROBE_YEAR = 9904
MAX_UID_LENGTH = 400
_NARROWING = ("BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS", "BYDAY")


def check_repetition(event: icalendar.Component) -> None:
    """Raise BadEntry for rules that repeat hourly or more often, give no date, or begin before 1900."""
    for name in ("RDATE", "EXDATE"):
        if _count(event.get(name)) > _MAX_DATES:
            raise BadEntry("This event lists more than %(limit)s dates.", limit=_MAX_DATES)
    rules = event.get("RRULE")
    for rule in rules if isinstance(rules, list) else [rules]:
        if rule is None:
            continue
        start = event.get("DTSTART").dt
        if isinstance(start, date) and start.year < _MIN_YEAR:
            raise BadEntry(
                "This event has been repeating since before 1900, so it cannot be read. Ask the people who keep the "
                "calendar to correct its start."
            )
        _check_rule(rule)


def uid_of(event: icalendar.Component) -> str:
    """Return the UID of an event, shortened to the stored length, or ""."""
    return str(event.get("UID") or "").strip()[:MAX_UID_LENGTH]


def _count(dates: object) -> int:
    lists = dates if isinstance(dates, list) else [dates]
    return sum(len(getattr(dates, "dts", ())) for dates in lists)


def _check_rule(rule: icalendar.vRecur) -> None:
    frequency = str((rule.get("FREQ") or [""])[0]).upper()
    if not frequency:
        raise BadEntry(
            "This event repeats but does not say how often. Ask the people who keep the calendar to correct it."
        )
    if frequency in _REFUSED_FREQUENCIES:
        raise BadEntry(
            "This event repeats every hour or more often. Ask the people who keep the calendar to correct it."
        )
    if any(str(interval).strip() in ("0", "") or int(interval) < 1 for interval in rule.get("INTERVAL") or []):
        raise BadEntry("This event repeats at an interval of 0. Ask the people who keep the calendar to correct it.")
    times = 1
    for part in ("BYHOUR", "BYMINUTE", "BYSECOND"):
        times *= max(1, len(rule.get(part) or []))
    if times > _MAX_TIMES_A_DAY:
        raise BadEntry("This event repeats more than %(limit)s times a day.", limit=_MAX_TIMES_A_DAY)
    if any(rule.get(part) for part in _NARROWING) and not _has_any_date(rule):
        raise BadEntry("The repetition of this event gives no date.")


def _has_any_date(rule: icalendar.vRecur) -> bool:
    """Return True if the rule matches any date. Search near the last possible year, so that it ends quickly."""
    months, days = rule.get("BYMONTH") or [], rule.get("BYMONTHDAY") or []
    if months and days and all(_is_impossible_date(int(month), int(day)) for month in months for day in days):
        return False
    parts = {name: value for name, value in rule.items() if name not in ("UNTIL", "COUNT", "INTERVAL")}
    text: str = icalendar.vRecur(parts).to_ical().decode()  # type: ignore[no-untyped-call]
    try:
        probe = rrulestr(text, dtstart=datetime(_PROBE_YEAR, 1, 1))  # noqa: DTZ001
        return next(iter(probe), None) is not None
    except (ValueError, TypeError, AttributeError) as error:
        raise BadEntry("The repetition of this event cannot be understood.") from error


def _is_impossible_date(month: int, day: int) -> bool:
    return 1 <= month <= 12 and abs(day) > calendar.monthrange(2024, month)[1]
