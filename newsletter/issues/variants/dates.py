"""Write when an event is, in the reader's language, and find the day of a mail. No database."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_interval, format_skeleton, format_time, get_timezone_location, parse_pattern

from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.records.events import EventRecord
from newsletter.rendering.phrases import format_day

_ONE_EVENING = timedelta(hours=12)
_DAY = timedelta(days=1)
_ARABIC_COMMA = "، "
_UNIVERSAL = ("", "UTC", "Etc/UTC")


def find_first_day(event: EventRecord, *, default_zone: str) -> date:
    """Return the day on which an event begins, at its location."""
    if event.all_day and event.day:
        return event.day
    return event.starts_at.astimezone(_find_zone(event, default_zone)).date()


def format_event_time(event: EventRecord, *, locale: str, default_zone: str, year: int | None = None) -> str:
    """Return the days and hours as people write them. ``default_zone`` is the clock of events without a zone.

    With ``year``, that of the readers, leave out what they know: that year, and the city of the default clock. An event
    online always has the city: its readers are anywhere.
    """
    first, zone = find_first_day(event, default_zone=default_zone), _find_zone(event, default_zone)
    starts, ends = _find_clock_times(event, zone)
    length = ends.astimezone(UTC) - starts.astimezone(UTC)
    if event.all_day:
        # The end is the midnight after the last day, up to an hour off if the clocks change in between.
        last = first + max(round(length / _DAY) - 1, 0) * _DAY
        return _format_days(first, last, locale, year=year)
    comma = _choose_comma(locale)
    city = "" if year is not None and _is_clock_known(event, zone, default_zone) else f" ({_name_city(zone, locale)})"
    if length <= timedelta():
        return f"{_format_days(first, first, locale, year=year)}{comma}{_format_clock(starts, locale)}{city}"
    if ends.date() == first or length <= _ONE_EVENING:
        return f"{_format_days(first, first, locale, year=year)}{comma}{_format_hours(starts, ends, locale)}{city}"
    if ends.time() > starts.time():
        return (
            f"{_format_days(first, ends.date(), locale, year=year)}{comma}{_format_hours(starts, ends, locale)}{city}"
        )
    begin = format_day(first, locale=locale, year=ends.year)
    end = format_day(ends.date(), locale=locale, year=year if first.year == ends.year else None)
    return f"{begin}{comma}{_format_clock(starts, locale)} – {end}{comma}{_format_clock(ends, locale)}{city}"


def format_event_hours(event: EventRecord, *, locale: str, default_zone: str, year: int) -> str:
    """Return the part of an event's time that a chip with weekday, day and month does not show: "" for an all-day event.

    An event of several days is written in full, one of another year than ``year`` with its month and year. The
    clock's city is named as in ``format_event_time``.
    """
    first, zone = find_first_day(event, default_zone=default_zone), _find_zone(event, default_zone)
    starts, ends = _find_clock_times(event, zone)
    length = ends.astimezone(UTC) - starts.astimezone(UTC)
    is_one_day = round(length / _DAY) <= 1 if event.all_day else ends.date() == first or length <= _ONE_EVENING
    if not is_one_day:
        return format_event_time(event, locale=locale, default_zone=default_zone, year=year)
    month = format_skeleton("yMMMM", first, locale=locale) if first.year != year else ""
    if event.all_day:
        return month
    hours = _format_hours(starts, ends, locale) if length > timedelta() else _format_clock(starts, locale)
    is_clock_known = _is_clock_known(event, zone, default_zone)
    hours = hours if is_clock_known else f"{hours} ({_name_city(zone, locale)})"
    return f"{month}{_choose_comma(locale)}{hours}" if month else hours


def _find_clock_times(event: EventRecord, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return when an event begins and ends, by the clock at its location."""
    starts = event.starts_at.astimezone(zone)
    return starts, event.ends_at.astimezone(zone) if event.ends_at else starts


def _is_clock_known(event: EventRecord, zone: ZoneInfo, default_zone: str) -> bool:
    return zone.key == default_zone and not event.online


def _name_city(zone: ZoneInfo, locale: str) -> str:
    return str(get_timezone_location(zone, locale=locale, return_city=True))


def _choose_comma(locale: str) -> str:
    return _ARABIC_COMMA if locale.startswith("ar") else ", "


def _find_zone(event: EventRecord, default_zone: str) -> ZoneInfo:
    return ZoneInfo(default_zone if event.zone in _UNIVERSAL else event.zone)


def _format_days(first: date, last: date, locale: str, *, year: int | None) -> str:
    """Return one day with its weekday, or several days as a range with the month in full. Leave out ``year``."""
    if last <= first:
        return format_day(first, locale=locale, year=year, with_weekday=True)
    is_year_known = first.year == last.year == year
    formats = Locale.parse(locale).interval_formats
    ranges = (formats.get("MMMMd") or formats["MMMd"]) if is_year_known else (formats.get("yMMMMd") or formats["yMMMd"])
    differs = "y" if first.year != last.year else "M" if first.month != last.month else "d"
    patterns = [re.sub(r"(?<!M)MMM(?!M)", "MMMM", pattern) for pattern in ranges[differs]]
    return "".join(
        str(parse_pattern(pattern).apply(day, locale)) for pattern, day in zip(patterns, (first, last), strict=True)
    )


def _format_clock(moment: datetime, locale: str) -> str:
    return format_time(moment, format="short", locale=locale, tzinfo=moment.tzinfo)


def _format_hours(starts: datetime, ends: datetime, locale: str) -> str:
    """Return a range of hours, on the clock of twelve or twenty-four hours that the language uses."""
    if ends.time() <= starts.time():
        return f"{_format_clock(starts, locale)} – {_format_clock(ends, locale)}"
    ends = datetime.combine(starts.date(), ends.time(), starts.tzinfo)
    twelve = "h" in Locale.parse(locale).time_formats["short"].pattern
    return format_interval(starts, ends, skeleton="hm" if twelve else "Hm", tzinfo=starts.tzinfo, locale=locale)


def find_sent_day(content: IssueContent, *, at: datetime) -> date | None:
    """Return the day of a moment in the publication's zone, or None if the mail shows it anyway, or shows no day."""
    if content.issue.kind != "issue":
        return None
    day = at.astimezone(ZoneInfo(content.publication.zone)).date()
    return None if day == find_due_day(content) else day


def find_due_day(content: IssueContent) -> date:
    return content.issue.due_at.astimezone(ZoneInfo(content.publication.zone)).date()
