"""When an event is, in a reader's words: its days, its hours and whose clock they are read from. Pure."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_interval, format_skeleton, format_time, get_timezone_location, parse_pattern

_ONE_EVENING = timedelta(hours=12)
_DAY = timedelta(days=1)
_UNIVERSAL = ("", "UTC", "Etc/UTC")

Event = dict[str, Any]


def get_babel_locale(language: str) -> str:
    """Babel's name of the language; English without a country is written the British way."""
    return {"en": "en_GB"}.get(language, language.replace("-", "_"))


def first_day(event: Event, *, default_zone: str) -> date:
    """The day on which an event of the resolved content begins, where it is."""
    if event["all_day"] and event["day"]:
        return datetime.fromisoformat(event["day"]).date()
    return datetime.fromisoformat(event["starts_at"]).astimezone(_zone(event, default_zone)).date()


def format_event_time(event: Event, *, locale: str, default_zone: str) -> str:
    """Days and hours as people write them; ``default_zone`` is the clock of events that have none of their own."""
    first, zone = first_day(event, default_zone=default_zone), _zone(event, default_zone)
    starts = datetime.fromisoformat(event["starts_at"]).astimezone(zone)
    ends = datetime.fromisoformat(event["ends_at"]).astimezone(zone) if event["ends_at"] else starts
    length = ends.astimezone(UTC) - starts.astimezone(UTC)
    if event["all_day"]:
        # The end is the midnight after the last day, up to an hour off where the clocks change in between.
        last = first + max(round(length / _DAY) - 1, 0) * _DAY
        return _days(first, last, locale)
    place = get_timezone_location(zone, locale=locale, return_city=True)
    if length <= timedelta():
        return f"{_days(first, first, locale)}, {_clock(starts, locale)} ({place})"
    if ends.date() == first or length <= _ONE_EVENING:
        return f"{_days(first, first, locale)}, {_hours(starts, ends, locale)} ({place})"
    if ends.time() > starts.time():
        return f"{_days(first, ends.date(), locale)}, {_hours(starts, ends, locale)} ({place})"
    begin = format_skeleton("MMMMd", starts, locale=locale) if starts.year == ends.year else _long(first, locale)
    return f"{begin}, {_clock(starts, locale)} – {_long(ends.date(), locale)}, {_clock(ends, locale)} ({place})"


def _zone(event: Event, default_zone: str) -> ZoneInfo:
    return ZoneInfo(default_zone if event["zone"] in _UNIVERSAL else event["zone"])


def _long(day: date, locale: str) -> str:
    return format_date(day, format="long", locale=locale)


def _days(first: date, last: date, locale: str) -> str:
    """One day with its weekday; several as a range with the month in full, as the language writes ranges."""
    if last <= first:
        return format_date(first, format="full", locale=locale)
    formats = Locale.parse(locale).interval_formats
    ranges = formats.get("yMMMMd") or formats["yMMMd"]
    differs = "y" if first.year != last.year else "M" if first.month != last.month else "d"
    patterns = [re.sub(r"(?<!M)MMM(?!M)", "MMMM", pattern) for pattern in ranges[differs]]
    return "".join(
        str(parse_pattern(pattern).apply(day, locale)) for pattern, day in zip(patterns, (first, last), strict=True)
    )


def _clock(moment: datetime, locale: str) -> str:
    return format_time(moment, format="short", locale=locale, tzinfo=moment.tzinfo)


def _hours(starts: datetime, ends: datetime, locale: str) -> str:
    """From one hour to another, on the clock of twelve or twenty-four hours that the language uses."""
    if ends.time() <= starts.time():
        return f"{_clock(starts, locale)} – {_clock(ends, locale)}"
    ends = datetime.combine(starts.date(), ends.time(), starts.tzinfo)
    twelve = "h" in Locale.parse(locale).time_formats["short"].pattern
    return format_interval(starts, ends, skeleton="hm" if twelve else "Hm", tzinfo=starts.tzinfo, locale=locale)
