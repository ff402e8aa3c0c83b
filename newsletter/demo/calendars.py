"""The sample organisation's calendar: its events as one iCalendar file.

It has a weekly series, events in named zones, all-day ones, a cancelled one, and locations with and without GEO.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar

from newsletter.demo.sample_content import NAME, DemoEvent

_SERIES_WEEKS = 26


def write_calendar(events: Sequence[DemoEvent], *, site: str, now: datetime) -> bytes:
    """Return the events as iCalendar with a VTIMEZONE for each zone. ``now`` is the time stamp of them all."""
    calendar = icalendar.Calendar()
    calendar.add("prodid", f"-//{NAME}//Events//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", f"{NAME} events")
    for event in events:
        calendar.add_component(_make_component(event, site=site, now=now))
        if event.weekly:
            calendar.add_component(_make_moved_occurrence(event, site=site, now=now))
    calendar.add_missing_timezones(first_date=date(now.year - 1, 1, 1), last_date=date(now.year + 2, 1, 1))
    calendar.subcomponents.sort(key=lambda component: (component.name != "VTIMEZONE", str(component.get("TZID", ""))))
    written: bytes = calendar.to_ical()
    return written


def _make_component(event: DemoEvent, *, site: str, now: datetime) -> icalendar.Event:
    component = icalendar.Event()
    component.add("uid", f"{event.slug}@events.example.org")
    component.add("dtstamp", now.astimezone(UTC))
    component.add("summary", event.title)
    component.add("description", event.summary)
    component.add("url", f"{site}{event.path}")
    if event.all_day:
        component.add("dtstart", event.starts_at.date())
        component.add("dtend", event.ends_at.date())
    else:
        component.add("dtstart", event.starts_at)
        component.add("dtend", event.ends_at)
    if event.online:
        component.add("location", "Online")
    if event.location:
        component.add("location", event.location)
    if event.geo:
        component.add("geo", event.geo)
    component.add("status", "CANCELLED" if event.cancelled else "CONFIRMED")
    if event.weekly:
        component.add("rrule", {"FREQ": "WEEKLY", "COUNT": _SERIES_WEEKS})
        component.add("exdate", _find_occurrence(event, after=now, number=2))
    return component


def _make_moved_occurrence(event: DemoEvent, *, site: str, now: datetime) -> icalendar.Event:
    """Return the fourth occurrence to come, which starts an hour later than the series says."""
    usual = _find_occurrence(event, after=now, number=3)
    component = icalendar.Event()
    component.add("uid", f"{event.slug}@events.example.org")
    component.add("dtstamp", now.astimezone(UTC))
    component.add("recurrence-id", usual)
    component.add("summary", event.title)
    component.add("description", f"{event.summary} This week an hour later.")
    component.add("url", f"{site}{event.path}")
    component.add("dtstart", usual + timedelta(hours=1))
    component.add("dtend", usual + timedelta(hours=1) + (event.ends_at - event.starts_at))
    component.add("location", "Online")
    component.add("status", "CONFIRMED")
    return component


def _find_occurrence(event: DemoEvent, *, after: datetime, number: int) -> datetime:
    """Return an occurrence of the weekly series (0 is the next), in wall-clock time of its zone."""
    day = event.starts_at.date()
    zone = ZoneInfo(event.zone)
    while datetime.combine(day, event.starts_at.time(), tzinfo=zone) <= after:
        day += timedelta(weeks=1)
    return datetime.combine(day + timedelta(weeks=number), event.starts_at.time(), tzinfo=zone)
