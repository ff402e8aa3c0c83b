"""iCalendar documents become events, one for each occurrence in a window. It guesses no zone and no place."""

import warnings
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import icalendar
import recurring_ical_events
from icalendar.error import GloballyUniqueTZIDGuessed
from recurring_ical_events.errors import InvalidCalendar

from newsletter.content.calendar_rules import check_repetition, part, uid_of
from newsletter.content.calendar_times import When, read_when
from newsletter.content.entries import EventEntry, Parsed, SetAside
from newsletter.content.entry_rules import BadEntry, checked_title, label, safe_link
from newsletter.content.html import plain_text, title_text
from newsletter.content.places import is_online_text
from newsletter.content.text import cut_at_word, tidy

MOST_OCCURRENCES = 500
_WIDEST_WINDOW = timedelta(days=400)
_MOST_SERIES = 5_000
_SUMMARY_CHARS = 20_000
_PLACE_CHARS = 500
_NEEDED = ("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID")
_READ_ERRORS = (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError, ArithmeticError)


def parse_calendar(body: bytes, *, url: str, window_start: datetime, window_end: datetime) -> Parsed:
    """The events that touch [window_start, window_end), both aware; at most 400 days and 500 occurrences are read."""
    end = min(window_end, window_start + _WIDEST_WINDOW)
    if b"BEGIN:VCALENDAR" not in body[:20_000].upper():
        return Parsed(
            error="This is not a calendar (iCalendar, .ics). Check the address, or choose another kind of source."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", GloballyUniqueTZIDGuessed)
            calendars = icalendar.Calendar.from_ical(body, multiple=True)
    except _READ_ERRORS:
        calendars = []
    if not calendars or b"END:VCALENDAR" not in body[-2000:].upper():
        return Parsed(error="This calendar is damaged and cannot be read. Ask whoever keeps it to export it again.")
    events: dict[str, EventEntry] = {}
    aside: list[SetAside] = []
    title, number = "", 0
    complete_until: datetime | None = None
    for one in calendars:
        title = title or cut_at_word(tidy(str(part(one, "X-WR-CALNAME") or "")), 300)
        default_zone = str(part(one, "X-WR-TIMEZONE") or "")
        for series in _series_of(one):
            number += 1
            if number > _MOST_SERIES:
                aside.append(SetAside("More events", f"Only the first {_MOST_SERIES} events of a calendar are read."))
                complete_until = window_start
                break
            name = label(
                title=str(part(series[0], "SUMMARY") or ""), link=str(part(series[0], "UID") or ""), number=number
            )
            try:
                for entry in _occurrences(series, one, default_zone, url=url, start=window_start, end=end):
                    events.setdefault(entry.external_id, entry)
            except BadEntry as error:
                aside.append(SetAside(entry=name, reason=str(error), external_id=uid_of(series[0])))
    ordered = sorted(events.values(), key=lambda entry: (entry.starts_at, entry.external_id))
    if len(ordered) > MOST_OCCURRENCES:
        more = len(ordered) - MOST_OCCURRENCES
        aside.append(SetAside(f"{more} later dates", f"Only the next {MOST_OCCURRENCES} dates of a calendar are used."))
        complete_until = complete_until or ordered[MOST_OCCURRENCES].starts_at
    return Parsed(
        events=tuple(ordered[:MOST_OCCURRENCES]), set_aside=tuple(aside), title=title, complete_until=complete_until
    )


def _series_of(one: icalendar.Calendar) -> list[list[icalendar.Component]]:
    """The VEVENTs by UID: a master with its changed occurrences. Those without UID stand alone."""
    groups: dict[str, list[icalendar.Component]] = {}
    for number, event in enumerate(one.walk("VEVENT")):
        groups.setdefault(str(part(event, "UID") or f"\0{number}"), []).append(event)
    return list(groups.values())


def _occurrences(
    series: list[icalendar.Component],
    one: icalendar.Calendar,
    default_zone: str,
    *,
    url: str,
    start: datetime,
    end: datetime,
) -> Iterator[EventEntry]:
    """Every occurrence of one series in the window. BadEntry when the series as a whole cannot be used."""
    for event in series:
        broken = next((str(name) for name, _ in event.errors if name in _NEEDED), "")
        if broken:
            raise BadEntry(f"This event has a part that cannot be read ({broken}).")
        if part(event, "DTSTART") is None:
            raise BadEntry("This event has no start.")
        check_repetition(event)
    repeats = any(part(event, "RRULE") or part(event, "RDATE") or part(event, "RECURRENCE-ID") for event in series)
    if not repeats:
        for event in series[-1:]:
            entry = _read_event(event, event, default_zone, url=url)
            if _touches(entry, start, end):
                yield entry
        return
    holder = icalendar.Calendar()
    for zone in one.walk("VTIMEZONE"):
        holder.add_component(zone)
    for event in series:
        holder.add_component(event)
    try:
        found = recurring_ical_events.of(holder).between(start, end)
    except (InvalidCalendar, *_READ_ERRORS) as error:
        raise BadEntry("How this event repeats cannot be understood.") from error
    for occurrence in found[:MOST_OCCURRENCES]:
        entry = _read_event(occurrence, series[0], default_zone, url=url)
        if _touches(entry, start, end):
            yield entry


def _touches(entry: EventEntry, start: datetime, end: datetime) -> bool:
    return entry.starts_at < end and (entry.ends_at or entry.starts_at) >= start


def _read_event(event: icalendar.Component, master: icalendar.Component, default_zone: str, *, url: str) -> EventEntry:
    title = checked_title(title_text(str(part(event, "SUMMARY") or "")))
    try:
        when = read_when(event, default_zone=default_zone)
    except _READ_ERRORS as error:
        raise BadEntry("The date of this event cannot be read.") from error
    latitude, longitude = _point(event)
    place = cut_at_word(tidy(str(part(event, "LOCATION") or "")), _PLACE_CHARS)
    link = safe_link(str(part(event, "URL") or ""), base_url=url)
    repeats = (
        part(master, "RRULE") or part(master, "RDATE") or part(event, "RECURRENCE-ID") or part(master, "RECURRENCE-ID")
    )
    return EventEntry(
        external_id=_identity(event, when, repeats=bool(repeats), title=title),
        title=title,
        starts_at=when.starts_at,
        ends_at=when.ends_at,
        zone=when.zone,
        all_day=when.day is not None,
        day=when.day,
        summary=plain_text(str(part(event, "DESCRIPTION") or "")[:_SUMMARY_CHARS]),
        url=link or (place if place.startswith(("http://", "https://")) and safe_link(place, base_url=url) else ""),
        place=place,
        latitude=latitude,
        longitude=longitude,
        online=is_online_text(place),
        cancelled=str(part(event, "STATUS") or "").upper() == "CANCELLED",
        note=when.note,
        floating=when.floating,
    )


def _identity(event: icalendar.Component, when: When, *, repeats: bool, title: str) -> str:
    """The UID, and for a series the moment the occurrence was first planned for, so that a moved one stays the same."""
    uid = uid_of(event) or f"{title}@{when.starts_at.isoformat()}"
    if not repeats:
        return uid
    planned = part(event, "RECURRENCE-ID")
    moment = planned.dt if planned is not None else part(event, "DTSTART").dt
    return f"{uid}#{_stamp(moment)}"


def _stamp(moment: date | datetime) -> str:
    if not isinstance(moment, datetime):
        return moment.isoformat()
    aware = moment.astimezone(UTC) if moment.tzinfo else moment
    return aware.strftime("%Y%m%dT%H%M%SZ" if moment.tzinfo else "%Y%m%dT%H%M%S")


def _point(event: icalendar.Component) -> tuple[float | None, float | None]:
    geo = part(event, "GEO")
    try:
        if geo is not None:
            latitude, longitude = float(geo.latitude), float(geo.longitude)
        else:
            written = str(part(event, "X-APPLE-STRUCTURED-LOCATION") or "").partition("geo:")[2]
            latitude, longitude = (float(number) for number in written.partition(";")[0].split(",")[:2])
    except (ValueError, AttributeError, TypeError):
        return None, None
    good = -90 <= latitude <= 90 and -180 <= longitude <= 180
    return (latitude, longitude) if good else (None, None)
