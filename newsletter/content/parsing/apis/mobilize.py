"""Parse events of Mobilize (github.com/mobilizeamerica/api, “List organization events”).

The name, address and telephone number of an event's contact are never read.
"""

import re
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlsplit, urlunsplit

from markdown_it import MarkdownIt

from newsletter.content.fetching.credentials import replace_parameters
from newsletter.content.parsing.apis.answers import (
    Node,
    NodeReader,
    changed_shape,
    read_answer,
    read_nodes,
    read_page,
)
from newsletter.content.parsing.apis.event_fields import (
    SUMMARY_CHARS,
    read_osdi_location,
    read_summary,
    venue_fields,
)
from newsletter.content.parsing.calendars.zone_names import find_zone_name
from newsletter.content.parsing.entries import EventEntry, Parsed
from newsletter.content.parsing.entry_rules import BadEntry, require_link, require_title
from newsletter.content.parsing.json_text import as_mapping, read_text
from newsletter.content.parsing.markup import title_text
from newsletter.content.parsing.pages.event_dates import check_times
from newsletter.content.parsing.pages.event_venues import Venue, join_place

_ORGANISATION = re.compile(r"/organizations/(?P<id>\d{1,18})(?:/|$)")
_APPROVED = frozenset({"", "APPROVED"})
_PER_PAGE = 50


def mobilize_url(address: str, now: datetime) -> str:
    """Return the address of an organisation's upcoming public events. A filter in the address, such as a ZIP code, stays."""
    parts = urlsplit(address)
    match = _ORGANISATION.search(parts.path)
    path = f"/v1/organizations/{match['id']}/events" if match else parts.path
    query = {"timeslot_start": "gte_now", "visibility": "PUBLIC", "per_page": str(_PER_PAGE)}
    url = urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))
    return replace_parameters(url, remove=[*query, "page", "cursor"], add=query)


def parse_mobilize(body: bytes, *, url: str, now: datetime) -> Parsed:
    """Return one event for each time slot of each public event of one page."""
    data = read_answer(body)
    events = data.get("data")
    if not isinstance(events, list):
        return changed_shape("Mobilize")
    nodes = [node for event in events for node in _split_into_slots(as_mapping(event))]
    return read_page(
        nodes,
        NodeReader(
            parse=lambda node: _read_event(node, url=url, now=now),
            identify=_identify,
            title_of=lambda node: read_text(node, "title"),
            is_private=_is_private,
        ),
        now=now,
        url=url,
        next_url=read_text(data, "next"),
        total=data.get("count"),
        entries=len(events),
    )


def _split_into_slots(event: Node) -> list[Node]:
    """Return the event once for each time slot, and once without any if its slots cannot be read."""
    slots = read_nodes(event, "timeslots")
    if not slots and isinstance(event.get("timeslots"), list) and not event["timeslots"]:
        return []
    return [{**event, "timeslot": slot} for slot in slots] or [event]


def _identify(node: Node) -> str:
    event, slot = read_text(node, "id"), read_text(as_mapping(node.get("timeslot")), "id")
    return f"{event}#{slot}"[:400] if event and slot else ""


def _is_private(node: Node) -> bool:
    return read_text(node, "visibility") not in ("", "PUBLIC") or read_text(node, "approval_status") not in _APPROVED


def _read_event(node: Node, *, url: str, now: datetime) -> EventEntry:
    identity = _identify(node)
    if not identity:
        raise BadEntry("This entry has no id.")
    slot = as_mapping(node.get("timeslot"))
    times = check_times(_moment(slot, "start_date"), _moment(slot, "end_date"), now=now)
    online = node.get("is_virtual") is True or ("location" in node and node["location"] is None)
    venue = Venue() if online else _read_venue(node)
    return EventEntry(
        external_id=identity,
        title=require_title(title_text(read_text(node, "title"))),
        starts_at=times.starts_at,
        ends_at=times.ends_at,
        zone=find_zone_name(read_text(node, "timezone")),
        summary=read_summary(read_text(node, "summary"), _read_description(node)),
        url=require_link(read_text(node, "browser_url"), base_url=url),
        online=online,
        note=times.note,
        **venue_fields(venue),  # type: ignore[arg-type]
    )


def _read_description(node: Node) -> str:
    """Return the description as HTML. Organisers write it in Markdown, which may hold HTML."""
    html: str = MarkdownIt("commonmark").render(read_text(node, "description")[:SUMMARY_CHARS])
    return html


def _read_venue(node: Node) -> Venue:
    """Return the venue. Of a private address, often somebody's home, return only the town and the region."""
    venue = read_osdi_location(node.get("location"))
    if read_text(node, "address_visibility") in ("", "PUBLIC"):
        return venue
    place = join_place(venue.locality, venue.state, venue.country)
    return replace(venue, place=place, street="", postcode="", latitude=None, longitude=None)


def _moment(slot: Node, name: str) -> datetime | None:
    seconds = slot.get(name)
    if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds <= 0:
        return None
    try:
        return datetime.fromtimestamp(seconds, tz=UTC)
    except (OverflowError, OSError, ValueError):
        return None
