"""Parse events of the REST interface of The Events Calendar, and build its addresses."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from newsletter.common.messages import Message
from newsletter.content.parsing.calendars.event_times import iana_zone, make_all_day_times
from newsletter.content.parsing.calendars.privacy import is_private_title
from newsletter.content.parsing.calendars.zone_names import find_zone_name
from newsletter.content.parsing.entries import EventEntry, Parsed
from newsletter.content.parsing.entry_rules import BadEntry, label_entry, read_entries, require_title, set_aside_private
from newsletter.content.parsing.event_locations import is_online_text
from newsletter.content.parsing.json_text import as_mapping, read_repaired_json
from newsletter.content.parsing.markup import plain_text, title_text
from newsletter.content.parsing.pages.event_dates import check_times, read_moment
from newsletter.content.parsing.pages.event_venues import join_place, read_point
from newsletter.content.parsing.pages.rest_links import TRIBE_ROUTE, make_route_url
from newsletter.content.parsing.urls import safe_link

PER_PAGE = 50
_SUMMARY_CHARS = 20_000
_PART_CHARS = 200
_CANCELLED_STATUSES = frozenset({"canceled", "cancelled", "postponed"})


def tribe_url(rest: str, *, page: int, start: date, end: date) -> str:
    """Return the address of one page of public events between two days. ``rest`` is any address of the interface.

    Its other parameters, such as a category, are kept.
    """
    parts = urlsplit(make_route_url(rest, f"{TRIBE_ROUTE}/events"))
    query = dict(parse_qsl(parts.query))
    query |= {"per_page": str(PER_PAGE), "page": str(page), "start_date": f"{start}", "end_date": f"{end} 23:59:59"}
    query["status"] = "publish"
    return urlunsplit(parts._replace(query=urlencode(query)))


def parse_tribe_events(body: bytes, *, url: str, now: datetime | None = None) -> Parsed:
    """Return the public events of one page. ``extra["pages"]`` is the number of pages."""
    moment = now or datetime.now(UTC)
    try:
        data, _ = read_repaired_json(body.decode("utf-8-sig", "replace"))
    except ValueError:
        data = None
    raw = as_mapping(data).get("events")
    if not isinstance(raw, list):
        return Parsed(
            error=Message(
                "The site did not answer as The Events Calendar does. Check its address, or use its .ics file."
            )
        )
    nodes = [as_mapping(node) for node in raw]
    private = [node for node in nodes if _is_private(node)]
    public = [node for node in nodes if not _is_private(node)]

    def label(node: Mapping[str, object], number: int) -> str:
        return label_entry(title=title_text(_text(node, "title")), link=_text(node, "url"), number=number)

    def parse(node: Mapping[str, object]) -> EventEntry:
        return _read_event(node, url=url, now=moment)

    events, aside = read_entries(public, parse=parse, label=label, identify=lambda event: event.external_id)
    pages = as_mapping(data).get("total_pages")
    return Parsed(
        events=events,
        set_aside=(*aside, *set_aside_private(len(private))),
        private=tuple(identity for node in private if (identity := safe_link(_text(node, "url"), base_url=url))),
        listed=len(public),
        series=tuple(sorted({safe_link(_text(node, "url"), base_url=url) for node in public} - {""})),
        extra={"pages": str(pages) if isinstance(pages, int) and 0 <= pages <= 10_000 else "1"},
    )


def _is_private(node: Mapping[str, object]) -> bool:
    is_listed = node.get("status") in (None, "publish") and not node.get("hide_from_listings")
    protected = bool(node.get("password_protected") or node.get("post_password") or node.get("protected"))
    return not is_listed or protected or is_private_title(title_text(_text(node, "title")))


def _read_event(node: Mapping[str, object], *, url: str, now: datetime) -> EventEntry:
    title = require_title(title_text(_text(node, "title")))
    zone = find_zone_name(_text(node, "timezone"))
    times = check_times(_moment(node, "start_date", zone), _moment(node, "end_date", zone), now=now)
    start, end, note = times.starts_at, times.ends_at, times.note
    link = safe_link(_text(node, "url"), base_url=url)
    if not link:
        raise BadEntry("This entry has no link.")
    day = None
    if node.get("all_day"):
        first, _ = read_moment(_text(node, "start_date"))
        last, _ = read_moment(_text(node, "end_date"))
        day = first.date() if first else start.date()
        when = make_all_day_times(day, (last.date() if last else day) + timedelta(days=1), zone=zone)
        start, end, note = when.starts_at, when.ends_at, ""
    venue = as_mapping(node.get("venue"))
    street, locality, postcode, country = (_part(venue, name) for name in ("address", "city", "zip", "country"))
    state = _part(venue, "stateprovince") or _part(venue, "state") or _part(venue, "province")
    place = join_place(_part(venue, "venue"), street, locality, state, postcode, country)
    latitude, longitude = read_point(venue.get("geo_lat"), venue.get("geo_lng"))
    status = _text(node, "event_status") or _text(as_mapping(node.get("event_status")), "status")
    return EventEntry(
        external_id=f"{link[:400]}#{start:%Y%m%dT%H%M}",
        title=title,
        starts_at=start,
        ends_at=end,
        zone=zone,
        all_day=day is not None,
        day=day,
        summary=plain_text((_text(node, "description") or _text(node, "excerpt"))[:_SUMMARY_CHARS]),
        url=link,
        place=place,
        latitude=latitude,
        longitude=longitude,
        online=bool(node.get("is_virtual")) or is_online_text(place),
        cancelled=status.casefold() in _CANCELLED_STATUSES,
        note=Message("The event is postponed; it has no new date yet.") if status.casefold() == "postponed" else note,
        street=street,
        locality=locality,
        state=state,
        postcode=postcode,
        country=country,
    )


def _moment(node: Mapping[str, object], name: str, zone: str) -> datetime | None:
    """Return a moment by the interface's UTC value, else by the event's clock in its zone."""
    moment, _ = read_moment(_text(node, f"utc_{name}"))
    if moment is not None:
        return moment.replace(tzinfo=UTC)
    clock, _ = read_moment(_text(node, name))
    return clock.replace(tzinfo=iana_zone(zone) or UTC).astimezone(UTC) if clock is not None else None


def _text(node: Mapping[str, object], name: str) -> str:
    value = node.get(name)
    return value if isinstance(value, str) else ""


def _part(venue: Mapping[str, object], name: str) -> str:
    value = venue.get(name)
    return title_text(str(value))[:_PART_CHARS] if isinstance(value, str | int) and not isinstance(value, bool) else ""
