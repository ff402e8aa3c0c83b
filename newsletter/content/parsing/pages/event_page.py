"""Parse web pages with events as JSON-LD, microdata or RDFa."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from newsletter.common.messages import Message
from newsletter.content.parsing.calendars.occurrence_ids import get_series_id
from newsletter.content.parsing.entries import EventEntry, Parsed, SetAside
from newsletter.content.parsing.entry_rules import MAX_ENTRIES, BadEntry, label_entry, read_entries, set_aside_private
from newsletter.content.parsing.list_truncation import find_truncated_from
from newsletter.content.parsing.markup import title_text
from newsletter.content.parsing.page_decoding import decode_page
from newsletter.content.parsing.pages.event_dates import read_moment
from newsletter.content.parsing.pages.event_nodes import (
    identity_of,
    is_event,
    is_private_node,
    read_event_node,
    resolve_event_nodes,
    text_of,
)
from newsletter.content.parsing.pages.json_ld import read_nodes
from newsletter.content.parsing.pages.markup_events import read_markup_events
from newsletter.content.parsing.pages.rest_links import find_rest_links

_UNREADABLE = Message(
    "A part of the page’s event data (JSON-LD) is damaged and cannot be read. Ask whoever runs the site to mend it."
)
_NONE = Message(
    "This page carries no events that a program can read (JSON-LD “Event”, microdata or RDFa). Use "
    "the site’s calendar (.ics) instead."
)
_READ_ERRORS = (ValueError, TypeError, KeyError, AttributeError, IndexError, OSError, ArithmeticError)


def parse_event_page(body: bytes, *, url: str, content_type: str = "", now: datetime | None = None) -> Parsed:
    """Return the events of a page found at ``url``. An event that ended over a day before ``now`` is past.

    ``extra`` has the addresses of the site's own interfaces that the page names, see ``rest_links``.
    """
    moment = now or datetime.now(UTC)
    tree = decode_page(body, content_type)
    nodes = read_nodes(tree)
    links = find_rest_links(tree, url=url)
    event_nodes = nodes.found if any(is_event(node) for node in nodes.found) else read_markup_events(tree, url=url)
    listed = list(resolve_event_nodes(event_nodes))
    if not listed:
        return Parsed(error=_UNREADABLE if nodes.unreadable else _NONE, extra=links)
    parsed = parse_event_nodes(listed, url=url, now=moment)
    aside = list(parsed.set_aside)
    if nodes.repairs and event_nodes is nodes.found:
        aside.append(SetAside(Message("Event data of the page"), _describe_repairs(", ".join(nodes.repairs))))
    if nodes.unreadable:
        aside.append(SetAside(Message("Event data of the page"), _UNREADABLE))
    return Parsed(
        events=parsed.events,
        set_aside=tuple(aside),
        # Events of a damaged part are not missing.
        complete_until=moment if nodes.unreadable else parsed.complete_until,
        extra=links,
        private=parsed.private,
        listed=parsed.listed,
        listed_until=parsed.listed_until,
        series=parsed.series,
    )


def parse_event_nodes(nodes: list[Mapping[str, Any]], *, url: str, now: datetime) -> Parsed:
    """Return the public events that are not over, the soonest if there are too many."""
    private = [node for node in nodes if is_private_node(node)]
    public = [node for node in nodes if not is_private_node(node)]
    over = [node for node in public if _is_over(node, now)]
    ahead = [node for node in public if not _is_over(node, now)]
    if len(ahead) > MAX_ENTRIES:
        ahead.sort(key=_start)

    def parse(node: Mapping[str, object]) -> EventEntry:
        try:
            return read_event_node(node, url=url, now=now)
        except _READ_ERRORS as error:
            raise BadEntry("This event cannot be read.") from error

    def label(node: Mapping[str, object], number: int) -> str:
        return label_entry(title=title_text(text_of(node, "name")), link=text_of(node, "url"), number=number)

    events, aside = read_entries(ahead, parse=parse, label=label, identify=lambda event: event.external_id)
    ordered = sorted(events, key=lambda event: event.starts_at)
    if over:
        entry_label = Message("1 past event") if len(over) == 1 else Message("%(over)s past events", over=len(over))
        aside = (*aside, SetAside(entry_label, Message("What is over is not used.")))
    return Parsed(
        events=tuple(ordered),
        set_aside=(*aside, *set_aside_private(len(private))),
        complete_until=now if len(ahead) > MAX_ENTRIES else None,
        private=tuple(identity for node in private if (identity := identity_of(node, url=url)) != url),
        listed=len(public),
        listed_until=find_truncated_from(
            [entry.starts_at for entry in events],
            entries=[entry.starts_at for entry in ordered],
            count=len(public),
            start=now - timedelta(days=1),
            end=datetime.max.replace(tzinfo=UTC),
        ),
        series=tuple(sorted({get_series_id(identity_of(node, url=url)) for node in public} - {url})),
    )


def _describe_repairs(mistakes: str) -> str:
    return Message(
        "Small mistakes in the page’s event data were repaired (%(mistakes)s). Compare its events with the page.",
        mistakes=mistakes,
    )


def _is_over(node: Mapping[str, object], now: datetime) -> bool:
    begins, begins_on = read_moment(text_of(node, "startDate"))
    ends, _ = read_moment(text_of(node, "endDate"))
    last = max(
        (moment.replace(tzinfo=moment.tzinfo or UTC) for moment in (begins, ends) if moment is not None), default=None
    )
    return begins is not None and last is not None and last < now - timedelta(days=2 if begins_on else 1)


def _start(node: Mapping[str, object]) -> datetime:
    begins, _ = read_moment(text_of(node, "startDate"))
    return begins.replace(tzinfo=begins.tzinfo or UTC) if begins else datetime.max.replace(tzinfo=UTC)
