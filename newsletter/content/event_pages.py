"""Web pages that carry events as JSON-LD become events. It reads no prose: what a page does not say is left open."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from newsletter.content.entries import EventEntry, Parsed
from newsletter.content.entry_rules import MOST_ENTRIES, BadEntry, checked_title, collect, label, safe_link
from newsletter.content.html import plain_text, title_text
from newsletter.content.json_ld import first_text, mapping, nodes_in, types_of
from newsletter.content.markup import decode_page
from newsletter.content.places import is_online_text
from newsletter.content.text import cut_at_word, tidy

_SUMMARY_CHARS = 20_000
_PLACE_CHARS = 500


def parse_event_page(body: bytes, *, url: str, content_type: str = "", now: datetime | None = None) -> Parsed:
    """The events of a page found at ``url``. Those that ended more than a day before ``now`` are set aside."""
    moment = now or datetime.now(UTC)
    nodes = [node for node in nodes_in(decode_page(body, content_type)) if _is_event(node)]
    if not nodes:
        return Parsed(
            error="This page carries no events that a program can read (JSON-LD “Event”)."
            " Use the site's calendar (.ics) instead."
        )

    def read(node: Mapping[str, Any]) -> EventEntry:
        return _read_event(node, url=url, now=moment)

    def name(node: Mapping[str, Any], number: int) -> str:
        return label(title=title_text(first_text(node.get("name"))), link=first_text(node.get("url")), number=number)

    found = list(_spread(nodes))
    events, aside = collect(found, read=read, name=name, key=lambda event: event.external_id)
    ordered = sorted(events, key=lambda event: event.starts_at)
    complete_until = moment if len(found) > MOST_ENTRIES else None
    return Parsed(events=tuple(ordered), set_aside=aside, complete_until=complete_until)


def _is_event(node: Mapping[str, Any]) -> bool:
    return any(
        kind.endswith("Event") or kind in ("EventSeries", "Festival", "Hackathon", "CourseInstance")
        for kind in types_of(node)
    )


def _spread(nodes: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Each event, and in place of a series that lists its dates, those dates with what they inherit from it."""
    for node in nodes:
        parts = node.get("subEvent")
        below = [mapping(part) for part in (parts if isinstance(parts, list) else [parts]) if mapping(part)]
        if below and not node.get("startDate"):
            for part in below:
                yield {**node, "@id": "", "subEvent": None, **part}
        else:
            yield node


def _read_event(node: Mapping[str, Any], *, url: str, now: datetime) -> EventEntry:
    title = checked_title(title_text(first_text(node.get("name"))))
    begins, day = _moment(first_text(node.get("startDate")))
    if begins is None:
        raise BadEntry("This event has no start that can be read.")
    zone = begins.tzinfo
    start = (begins if zone else begins.replace(tzinfo=UTC)).astimezone(UTC)
    ends, end_day = _moment(first_text(node.get("endDate")))
    end = None
    if ends is not None:
        end = (ends if ends.tzinfo and zone else ends.replace(tzinfo=zone or UTC)).astimezone(UTC)
    if day is not None:
        end = datetime.combine((end_day or day) + timedelta(days=1), time(), UTC)
    if end is not None and end < start:
        end = None
    if (end or start) < now - timedelta(days=1):
        raise BadEntry(f"This event is over ({start:%-d %B %Y}).")
    note = "" if day is not None or zone else "The event names no time zone."
    place, latitude, longitude, virtual = _place(node)
    link = safe_link(first_text(node.get("url")), base_url=url) or url
    status = first_text(node.get("eventStatus")).rsplit("/", 1)[-1]
    mode = first_text(node.get("eventAttendanceMode")).rsplit("/", 1)[-1]
    if status == "EventPostponed":
        note = "The event is postponed; it has no new date yet."
    identity = first_text(node.get("@id")) or first_text(node.get("identifier")) or link
    return EventEntry(
        external_id=f"{identity[:400]}#{start:%Y%m%dT%H%M}#{title[:60]}"
        if identity == url
        else f"{identity[:400]}#{start:%Y%m%dT%H%M}",
        title=title,
        starts_at=start,
        ends_at=end,
        all_day=day is not None,
        day=day,
        summary=plain_text(first_text(node.get("description"))[:_SUMMARY_CHARS]),
        url=link,
        place=place,
        latitude=latitude,
        longitude=longitude,
        online=virtual or mode in ("OnlineEventAttendanceMode", "MixedEventAttendanceMode") or is_online_text(place),
        cancelled=status in ("EventCancelled", "EventPostponed"),
        note=note,
        floating=zone is None,
    )


def _moment(text: str) -> tuple[datetime | None, date | None]:
    """An ISO 8601 text as a moment, without a zone where it names none, and its day when it names no hour."""
    stripped = text.strip()
    try:
        day = date.fromisoformat(stripped)
    except ValueError:
        day = None
    if day is not None:
        return datetime.combine(day, time()), day
    try:
        moment = datetime.fromisoformat(stripped)
        moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None, None
    return moment, None


def _place(node: Mapping[str, Any]) -> tuple[str, float | None, float | None, bool]:
    """The place in words, its coordinates, and whether the event is (also) online."""
    raw = node.get("location")
    words, virtual = "", False
    latitude = longitude = None
    for item in raw if isinstance(raw, list) else [raw]:
        if isinstance(item, str):
            words = words or tidy(plain_text(item))
            continue
        here = mapping(item)
        if "VirtualLocation" in types_of(here):
            virtual = True
            continue
        words = words or _address(here)
        geo = mapping(here.get("geo"))
        if latitude is None:
            latitude, longitude = _point(geo.get("latitude"), geo.get("longitude"))
    return cut_at_word(words, _PLACE_CHARS), latitude, longitude, virtual


def _address(here: Mapping[str, Any]) -> str:
    name = title_text(first_text(here.get("name")))
    raw = here.get("address")
    if isinstance(raw, str):
        rest = [tidy(plain_text(raw))]
    else:
        address = mapping(raw)
        fields = ("streetAddress", "addressLocality", "addressRegion", "postalCode", "addressCountry")
        rest = [title_text(first_text(address.get(field))) for field in fields]
    parts = [part for part in [name, *rest] if part]
    return ", ".join(dict.fromkeys(parts))


def _point(latitude: object, longitude: object) -> tuple[float | None, float | None]:
    try:
        north, east = float(str(latitude)), float(str(longitude))
    except ValueError:
        return None, None
    good = -90 <= north <= 90 and -180 <= east <= 180
    return (north, east) if good else (None, None)
