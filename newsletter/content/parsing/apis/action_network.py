"""Parse events of Action Network (actionnetwork.org/docs/v2/events), which follows OSDI 1.1.1.

Its times are those of a clock at the event's place, although they end in Z.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit, urlunsplit

from newsletter.content.fetching.credentials import replace_parameters
from newsletter.content.parsing.apis.answers import Node, NodeReader, changed_shape, read_answer, read_page
from newsletter.content.parsing.apis.event_fields import (
    read_osdi_location,
    read_summary,
    venue_fields,
)
from newsletter.content.parsing.calendars.event_times import make_all_day_times
from newsletter.content.parsing.calendars.privacy import is_private_title
from newsletter.content.parsing.entries import EventEntry, Parsed
from newsletter.content.parsing.entry_rules import BadEntry, require_link, require_title
from newsletter.content.parsing.event_locations import is_online_text
from newsletter.content.parsing.json_text import as_mapping, read_text
from newsletter.content.parsing.markup import title_text
from newsletter.content.parsing.pages.event_dates import check_times, read_moment

_EVENTS = "/api/v2/events"
_PREFIX = "action_network:"
_SHOWN = frozenset({"", "confirmed", "cancelled"})


def action_network_url(address: str, now: datetime) -> str:
    """Return the address of all events of the key's group, or of those of one event campaign that the address names."""
    parts = urlsplit(address)
    path = parts.path.rstrip("/")
    campaign = path.startswith("/api/v2/event_campaigns/") and path.endswith("/events")
    url = urlunsplit((parts.scheme, parts.netloc, path if campaign else _EVENTS, parts.query, ""))
    return replace_parameters(url, remove=["page"])


def parse_action_network(body: bytes, *, url: str, now: datetime) -> Parsed:
    """Return the public events of one page. Tentative and hidden ones are private."""
    data = read_answer(body)
    events = as_mapping(data.get("_embedded")).get("osdi:events")
    if not isinstance(events, list):
        return changed_shape("Action Network")
    link = as_mapping(as_mapping(data.get("_links")).get("next"))
    return read_page(
        events,
        NodeReader(
            parse=lambda event: _read_event(event, url=url, now=now),
            identify=_identify,
            title_of=_read_title,
            is_private=_is_private,
        ),
        now=now,
        url=url,
        next_url=read_text(link, "href"),
        total=data.get("total_records"),
    )


def _read_title(event: Node) -> str:
    return read_text(event, "title") or read_text(event, "name")


def _identify(event: Node) -> str:
    """Return Action Network's own identifier, else the first."""
    listed = event.get("identifiers")
    names = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
    return next((name for name in names if name.startswith(_PREFIX)), names[0] if names else "")[:400]


def _is_private(event: Node) -> bool:
    hidden = event.get(f"{_PREFIX}hidden") is True or read_text(event, "visibility") not in ("", "public")
    return hidden or read_text(event, "status") not in _SHOWN or is_private_title(title_text(_read_title(event)))


def _read_event(event: Node, *, url: str, now: datetime) -> EventEntry:
    identity = _identify(event)
    if not identity:
        raise BadEntry("This entry has no id.")
    venue = read_osdi_location(event.get("location"))
    entry = EventEntry(
        external_id=identity,
        title=require_title(title_text(_read_title(event))),
        starts_at=now,
        floating=True,
        at_place=True,
        summary=read_summary(read_text(event, "summary"), read_text(event, "description")),
        url=require_link(read_text(event, "browser_url"), base_url=url),
        online=is_online_text(venue.place),
        cancelled=read_text(event, "status") == "cancelled",
        **venue_fields(venue),  # type: ignore[arg-type]
    )
    _, day = read_moment(read_text(event, "all_day_date"))
    if event.get("all_day") is True and day is not None:
        all_day = make_all_day_times(day, day + timedelta(days=1), zone="")
        return replace(entry, starts_at=all_day.starts_at, ends_at=all_day.ends_at, all_day=True, day=day)
    times = check_times(_wall_clock(event, "start_date"), _wall_clock(event, "end_date"), now=now)
    return replace(entry, starts_at=times.starts_at, ends_at=times.ends_at, note=times.note)


def _wall_clock(event: Node, name: str) -> datetime | None:
    """Return the local time of the place, labelled UTC."""
    moment, _ = read_moment(read_text(event, name))
    return moment.replace(tzinfo=UTC) if moment is not None else None
