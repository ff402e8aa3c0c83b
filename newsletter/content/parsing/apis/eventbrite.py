"""Parse events of Eventbrite (eventbrite.com/platform/api#/reference/event/list/list-events-by-organization)."""

import re
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit, urlunsplit

from newsletter.common.messages import Message
from newsletter.content.fetching.credentials import replace_parameters
from newsletter.content.parsing.apis.answers import (
    INSTEAD,
    Node,
    NodeReader,
    changed_shape,
    read_answer,
    read_nodes,
    read_page,
)
from newsletter.content.parsing.apis.event_fields import read_geo, read_part, read_summary, venue_fields
from newsletter.content.parsing.calendars.event_times import iana_zone
from newsletter.content.parsing.calendars.privacy import is_private_title
from newsletter.content.parsing.calendars.zone_names import find_zone_name
from newsletter.content.parsing.entries import EventEntry, Parsed, SetAside
from newsletter.content.parsing.entry_rules import BadEntry, require_link, require_title
from newsletter.content.parsing.json_text import as_mapping, read_text
from newsletter.content.parsing.markup import title_text
from newsletter.content.parsing.pages.event_dates import check_times, read_moment
from newsletter.content.parsing.pages.event_venues import Venue, join_place

_ORGANISATION = re.compile(r"/v3/organizations/(?P<id>\d{1,30})(?:/|$)")
_MINE = "/v3/users/me/organizations/"
_CANCELLED = frozenset({"canceled", "cancelled"})
_SHOWN = frozenset({"live", "started", "ended", "completed"})
_LISTING = {
    "status": "live,started,canceled",
    "time_filter": "current_future",
    "order_by": "start_asc",
    "expand": "venue",
    "page_size": "50",
}


def eventbrite_url(address: str, now: datetime) -> str:
    """Return the address of an organisation's events, or of the token's organisations if the address names none."""
    parts = urlsplit(address)
    match = _ORGANISATION.search(parts.path)
    path = f"/v3/organizations/{match['id']}/events/" if match else _MINE
    url = urlunsplit((parts.scheme, parts.netloc, path, "", ""))
    return replace_parameters(url, remove=(), add=_LISTING) if match else url


def parse_eventbrite(body: bytes, *, url: str, now: datetime) -> Parsed:
    """Return the listed events of one page. Unlisted events and those for invited people only are private."""
    data = read_answer(body)
    if urlsplit(url).path == _MINE:
        return _choose_organisation(data, url=url, now=now)
    events = data.get("events")
    pages = as_mapping(data.get("pagination"))
    if not isinstance(events, list) or not pages:
        return changed_shape("Eventbrite")
    token = read_text(pages, "continuation")
    more = bool(pages.get("has_more_items")) and bool(token)
    return read_page(
        events,
        NodeReader(
            parse=lambda event: _read_event(event, url=url, now=now),
            identify=lambda event: read_text(event, "id"),
            title_of=_read_name,
            is_private=_is_private,
        ),
        now=now,
        url=url,
        next_url=replace_parameters(url, remove=["continuation"], add={"continuation": token}) if more else "",
        total=pages.get("object_count"),
    )


def _choose_organisation(data: Node, *, url: str, now: datetime) -> Parsed:
    """Return the address of the first organisation's events. Name the others to staff."""
    organisations = [node for node in read_nodes(data, "organizations") if read_text(node, "id").isdigit()]
    if not organisations:
        return changed_shape("Eventbrite")
    first, *further = organisations
    events = eventbrite_url(urljoin(url, f"/v3/organizations/{read_text(first, 'id')}/events/"), now)
    aside = tuple(
        SetAside(
            title_text(read_text(organisation, "name")) or read_text(organisation, "id"),
            Message(
                "Your token also opens this organisation. To read its events, add a source with the address %(address)s",
                address=urljoin(url, f"/v3/organizations/{read_text(organisation, 'id')}/events/"),
            ),
        )
        for organisation in further[:20]
    )
    return Parsed(set_aside=aside, extra={INSTEAD: events})


def _is_private(event: Node) -> bool:
    status = read_text(event, "status")
    hidden = event.get("listed") is not True or bool(event.get("invite_only")) or bool(event.get("password"))
    return hidden or (status not in _SHOWN | _CANCELLED) or is_private_title(title_text(_read_name(event)))


def _read_name(event: Node) -> str:
    name = as_mapping(event.get("name"))
    return read_text(name, "text") or read_text(name, "html")


def _read_event(event: Node, *, url: str, now: datetime) -> EventEntry:
    identity = read_text(event, "id")
    if not identity:
        raise BadEntry("This entry has no id.")
    if event.get("hide_start_date"):
        raise BadEntry("Eventbrite is set to hide the start of this event.")
    start = as_mapping(event.get("start"))
    zone = find_zone_name(read_text(start, "timezone"))
    end = None if event.get("hide_end_date") else _moment(as_mapping(event.get("end")), zone)
    times = check_times(_moment(start, zone), end, now=now)
    description = as_mapping(event.get("description"))
    online = event.get("online_event") is True
    return EventEntry(
        external_id=identity[:400],
        title=require_title(title_text(_read_name(event))),
        starts_at=times.starts_at,
        ends_at=times.ends_at,
        zone=zone,
        summary=read_summary(
            read_text(event, "summary"), read_text(description, "text"), read_text(description, "html")
        ),
        url=require_link(read_text(event, "url"), base_url=url),
        online=online,
        cancelled=read_text(event, "status") in _CANCELLED,
        note=times.note,
        **({} if online else venue_fields(_read_venue(event.get("venue")))),  # type: ignore[arg-type]
    )


def _moment(raw: Node, zone: str) -> datetime | None:
    """Return a moment by its UTC value, else by the event's clock in its zone."""
    moment, _ = read_moment(read_text(raw, "utc"))
    if moment is not None:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    clock, _ = read_moment(read_text(raw, "local"))
    zone_info = iana_zone(zone)
    return clock.replace(tzinfo=zone_info).astimezone(UTC) if clock is not None and zone_info is not None else None


def _read_venue(raw: object) -> Venue:
    venue = as_mapping(raw)
    address = as_mapping(venue.get("address"))
    street = ", ".join(part for name in ("address_1", "address_2") if (part := read_part(address, name)))
    locality, state, postcode, country = (
        read_part(address, name) for name in ("city", "region", "postal_code", "country")
    )
    latitude, longitude = read_geo(venue) if venue.get("latitude") else read_geo(address)
    place = join_place(read_part(venue, "name"), street, locality, state, postcode, country)
    return Venue(place, latitude, longitude, False, street, locality, state, postcode, country)
