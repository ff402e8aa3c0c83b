"""Turn one occurrence of a calendar event into an event entry."""

import re

import icalendar

from newsletter.common.messages import Message
from newsletter.content.parsing.calendars.event_times import EventTimes, read_event_times
from newsletter.content.parsing.calendars.occurrence_ids import format_stamp
from newsletter.content.parsing.calendars.recurrence_rules import uid_of
from newsletter.content.parsing.entries import EventEntry
from newsletter.content.parsing.entry_rules import BadEntry, require_title
from newsletter.content.parsing.event_locations import is_online_text
from newsletter.content.parsing.markup import plain_text, title_text
from newsletter.content.parsing.text import cut_at_word, tidy
from newsletter.content.parsing.urls import safe_link

_SUMMARY_CHARS = 20_000
_PLACE_CHARS = 500
_GEO = re.compile(r"geo:\s*(-?[\d.]+)\s*,\s*(-?[\d.]+)", re.IGNORECASE)
_READ_ERRORS = (ValueError, TypeError, KeyError, AttributeError, IndexError, OSError, ArithmeticError)

_TENTATIVE = Message("The calendar says that this event is only planned tentatively. Ask whether it takes place.")


def read_event(event: icalendar.Component, *, repeats: bool, default_zone: str, url: str) -> EventEntry:
    """Return one occurrence as an entry. Raises BadEntry if it has no title or no readable date.

    ``repeats`` means that it is one date of several.
    """
    title = require_title(title_text(str(event.get("SUMMARY") or "")))
    try:
        when = read_event_times(event, default_zone=default_zone)
    except _READ_ERRORS as error:
        raise BadEntry("The date of this event cannot be read.") from error
    apple = event.get("X-APPLE-STRUCTURED-LOCATION")
    latitude, longitude = _point(event, str(apple or ""))
    place = cut_at_word(tidy(str(event.get("LOCATION") or "") or _named_by_apple(apple)), _PLACE_CHARS)
    status = str(event.get("STATUS") or "").strip().upper()
    link = safe_link(str(event.get("URL") or ""), base_url=url)
    return EventEntry(
        external_id=_identity(event, when, repeats=repeats, title=title),
        title=title,
        starts_at=when.starts_at,
        ends_at=when.ends_at,
        zone=when.zone,
        all_day=when.day is not None,
        day=when.day,
        summary=plain_text(str(event.get("DESCRIPTION") or "")[:_SUMMARY_CHARS]),
        url=link or (place if place.startswith(("http://", "https://")) and safe_link(place, base_url=url) else ""),
        place=place,
        latitude=latitude,
        longitude=longitude,
        online=is_online_text(place) or (not place and event.get("CONFERENCE") is not None),
        cancelled=status == "CANCELLED",
        note=when.note or (_TENTATIVE if status == "TENTATIVE" else ""),
        floating=when.floating,
        zone_note=when.zone_note,
        unknown_zone=when.unknown_zone,
    )


def _identity(event: icalendar.Component, when: EventTimes, *, repeats: bool, title: str) -> str:
    """Return the UID, with the moment first planned for a date of a series, so that a moved date keeps its identity."""
    uid = uid_of(event) or f"{title}@{when.starts_at.isoformat()}"
    if not repeats:
        return uid
    planned = event.get("RECURRENCE-ID")
    return f"{uid}#{format_stamp(planned.dt if planned is not None else event.get('DTSTART').dt)}"


def _named_by_apple(location: icalendar.vText | None) -> str:
    names = [str(location.params.get(name) or "") for name in ("X-TITLE", "X-ADDRESS")] if location is not None else []
    return ", ".join(name.replace("\\n", ", ") for name in names if name)


def _point(event: icalendar.Component, apple: str) -> tuple[float | None, float | None]:
    geo, match = event.get("GEO"), _GEO.search(apple)
    try:
        if geo is not None:
            latitude, longitude = float(geo.latitude), float(geo.longitude)
        elif match:
            latitude, longitude = float(match[1]), float(match[2])
        else:
            return None, None
    except (ValueError, AttributeError, TypeError):
        return None, None
    good = -90 <= latitude <= 90 and -180 <= longitude <= 180
    return (latitude, longitude) if good else (None, None)
