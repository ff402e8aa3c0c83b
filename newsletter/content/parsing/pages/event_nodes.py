"""Turn one schema.org event of a web page into an event entry. It reads only data, no prose."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import orjson

from newsletter.common.messages import Message
from newsletter.content.parsing.calendars.privacy import is_private_title
from newsletter.content.parsing.entries import EventEntry
from newsletter.content.parsing.entry_rules import BROKEN_CHARACTERS, BadEntry, require_title
from newsletter.content.parsing.event_locations import is_online_text
from newsletter.content.parsing.json_text import as_mapping
from newsletter.content.parsing.markup import plain_text, title_text
from newsletter.content.parsing.pages.event_dates import read_span
from newsletter.content.parsing.pages.event_venues import read_venue
from newsletter.content.parsing.pages.json_ld import first_text, types_of
from newsletter.content.parsing.urls import safe_link

_SUMMARY_CHARS = 20_000
_MAX_CHARS = 256 * 1024
_OTHER_KINDS = frozenset({"eventseries", "festival", "hackathon", "courseinstance"})
_VISIBILITY_FIELDS = (
    "creativeWorkStatus",
    "visibility",
    "status",
    "post_status",
    "publishingStatus",
    "class",
    "access",
)
_PRIVATE_STATUSES = frozenset(
    {"private", "draft", "pending", "password", "protected", "trash", "hidden", "confidential", "unlisted"}
)
_MAX_DEPTH = 8
_MAX_FOLLOWED = 2_000
_INHERITED = ("location", "url", "description", "eventAttendanceMode", "eventStatus", "name")


def text_of(node: Mapping[str, object], name: str) -> str:
    """Return the text of a property, with damaged characters replaced."""
    return first_text(node.get(name)).encode("utf-8", "replace").decode()


def is_event(node: Mapping[str, object]) -> bool:
    return any(kind.casefold().endswith("event") or kind.casefold() in _OTHER_KINDS for kind in types_of(node))


def is_private_node(node: Mapping[str, object]) -> bool:
    """Return True if the event is a draft, private, hidden or password-protected, by its own data or its title."""
    marks = [text_of(node, name).rsplit("/", 1)[-1].strip().casefold() for name in _VISIBILITY_FIELDS]
    return any(mark in _PRIVATE_STATUSES for mark in marks) or is_private_title(title_text(text_of(node, "name")))


def identity_of(node: Mapping[str, object], *, url: str) -> str:
    """Return the identity of an event on its page, without its date: its own, its link, or the page's address."""
    link = safe_link(text_of(node, "url"), base_url=url) or url
    node_id = text_of(node, "@id")
    # RDFa gives nameless things a new name at each reading.
    return ((node_id if not node_id.startswith("_:") else "") or text_of(node, "identifier") or link)[:400]


def resolve_event_nodes(nodes: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield each event with the data it refers to and inherits. Yield the dates of a series instead of the series."""
    nodes_by_id = {str(node["@id"]): node for node in nodes if isinstance(node.get("@id"), str) and len(node) > 1}
    for node in nodes:
        if not is_event(node):
            continue
        follow = _NodeResolver(nodes_by_id)
        resolved = _inherit({name: follow.of(value) for name, value in node.items()})
        below = [part for name in ("subEvent", "subEvents") for part in _objects(resolved.get(name))]
        if below and not node.get("startDate"):
            for part in below:
                yield {**resolved, "@id": "", "subEvent": None, **part}
        else:
            yield resolved


def read_event_node(node: Mapping[str, object], *, url: str, now: datetime) -> EventEntry:
    """Return the event as an entry. Raises BadEntry if it cannot be used."""
    _check_text(node)
    title = require_title(title_text(text_of(node, "name")))
    span = read_span(text_of(node, "startDate"), text_of(node, "endDate"), now=now)
    venue = read_venue(node.get("location"))
    link = safe_link(text_of(node, "url"), base_url=url) or url
    status = text_of(node, "eventStatus").rsplit("/", 1)[-1].casefold()
    mode = text_of(node, "eventAttendanceMode").rsplit("/", 1)[-1].casefold()
    identity = identity_of(node, url=url)
    external_id = f"{identity}#{span.start:%Y%m%dT%H%M}"
    postponed = status == "eventpostponed"
    return EventEntry(
        external_id=f"{external_id}#{title[:60]}" if identity == url else external_id,
        title=title,
        starts_at=span.start,
        ends_at=span.end,
        all_day=span.day is not None,
        day=span.day,
        summary=plain_text(text_of(node, "description")[:_SUMMARY_CHARS]),
        url=link,
        place=venue.place,
        latitude=venue.latitude,
        longitude=venue.longitude,
        online=venue.virtual
        or status == "eventmovedonline"
        or mode in ("onlineeventattendancemode", "mixedeventattendancemode")
        or is_online_text(venue.place),
        cancelled=status in ("eventcancelled", "eventpostponed", "cancelled", "canceled"),
        note=Message("The event is postponed; it has no new date yet.") if postponed else span.note,
        floating=span.floating,
        zone_note="" if postponed else span.zone_note,
        street=venue.street,
        locality=venue.locality,
        state=venue.state,
        postcode=venue.postcode,
        country=venue.country,
    )


def _check_text(node: Mapping[str, object]) -> None:
    try:
        size = len(orjson.dumps(node, default=str))
    except (TypeError, ValueError, RecursionError) as error:
        raise BadEntry(BROKEN_CHARACTERS) from error
    if size > _MAX_CHARS:
        raise BadEntry("This entry is longer than %(limit)s kB.", limit=_MAX_CHARS // 1024)


def _inherit(node: dict[str, object]) -> dict[str, object]:
    """Add the values of the super-event that the event does not have."""
    for above in _objects(node.get("superEvent")):
        node |= {name: above[name] for name in _INHERITED if not node.get(name) and above.get(name)}
    return node


class _NodeResolver:
    """Replace references to other nodes by these nodes. ``_left`` limits the work for nodes that refer to each other."""

    def __init__(self, nodes_by_id: Mapping[str, Mapping[str, Any]]) -> None:
        self._named = nodes_by_id
        self._left = _MAX_FOLLOWED

    def of(self, value: object, depth: int = _MAX_DEPTH) -> object:
        self._left -= 1
        if depth <= 0 or self._left <= 0:
            return value
        if isinstance(value, list):
            return [self.of(item, depth - 1) for item in value]
        if isinstance(value, dict):
            if set(value) <= {"@id", "@type"} and value.get("@id") in self._named:
                value = self._named[value["@id"]]
            return {
                name: self.of(part, depth - 1) if isinstance(part, dict | list) else part
                for name, part in value.items()
            }
        return value


def _objects(raw: object) -> list[Mapping[str, Any]]:
    return [as_mapping(part) for part in (raw if isinstance(raw, list) else [raw]) if as_mapping(part)]
