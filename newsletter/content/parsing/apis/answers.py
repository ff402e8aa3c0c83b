"""Read the parts that answers of all interfaces have: a list of entries, the address of the next page, the number of all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from urllib.parse import urljoin

from newsletter.common.messages import Message
from newsletter.content.parsing.entries import EventEntry, Parsed, StoryEntry
from newsletter.content.parsing.entry_rules import (
    BROKEN_CHARACTERS,
    MAX_ENTRIES,
    BadEntry,
    label_entry,
    read_entries,
    set_aside_private,
)
from newsletter.content.parsing.json_text import BadJson, as_mapping, has_broken_characters, read_json
from newsletter.content.parsing.markup import title_text

NEXT, INSTEAD, TOTAL, ENTRIES = "next", "instead", "total", "entries"
"""Keys of ``Parsed.extra``: the address of the next page, or of the first one if this answer only leads to it; how many
entries all pages have; how many this page has."""
Node = Mapping[str, object]
Entry = TypeVar("Entry", bound=StoryEntry | EventEntry)


def read_answer(body: bytes) -> Node:
    """Return the object that an interface answered, or {} if it is none."""
    try:
        return as_mapping(read_json(body))
    except BadJson:
        return {}


def changed_shape(name: str) -> Parsed:
    """Return the error for an answer without the list that the interface documents."""
    return Parsed(
        error=Message(
            "%(name)s answered in a form that we do not know, so nothing was changed. Check the address. If it is right,"
            " the interface has changed: tell the people who maintain this newsletter system.",
            name=name,
        )
    )


@dataclass(frozen=True)
class NodeReader(Generic[Entry]):
    """The functions that read the nodes of one interface. ``identify`` returns the identity, or "" if a node has none."""

    parse: Callable[[Node], Entry]
    identify: Callable[[Node], str]
    title_of: Callable[[Node], str]
    is_private: Callable[[Node], bool]


def read_page(
    nodes: Sequence[object],
    reader: NodeReader[Entry],
    *,
    now: datetime,
    url: str,
    next_url: str = "",
    total: object = None,
    entries: int | None = None,
) -> Parsed:
    """Return the entries of one page. Private ones are only counted, and named by their identity.

    ``entries`` is the number of entries as the interface counts them, if it is not that of ``nodes``.
    """
    public = [node for node in nodes if not reader.is_private(as_mapping(node))]
    private = [as_mapping(node) for node in nodes if reader.is_private(as_mapping(node))]

    def read(raw: object) -> Entry:
        if has_broken_characters(raw):
            raise BadEntry(BROKEN_CHARACTERS)
        return reader.parse(as_mapping(raw))

    usable, aside = read_entries(
        public,
        parse=read,
        label=lambda raw, number: label_entry(
            title=title_text(reader.title_of(as_mapping(raw))), link="", number=number
        ),
        identify=lambda entry: entry.external_id,
        identify_raw=lambda raw: reader.identify(as_mapping(raw)),
    )
    extra = {ENTRIES: str(len(nodes) if entries is None else entries)}
    if next_url:
        extra[NEXT] = urljoin(url, next_url)
    if isinstance(total, int) and not isinstance(total, bool) and total >= 0:
        extra[TOTAL] = str(total)
    return Parsed(
        stories=tuple(entry for entry in usable if isinstance(entry, StoryEntry)),
        events=tuple(entry for entry in usable if isinstance(entry, EventEntry)),
        set_aside=(*aside, *set_aside_private(len(private))),
        private=tuple(identity for node in private if (identity := reader.identify(node))),
        listed=len(public),
        # An event that cannot be named, or is beyond the limit of a page, may seem to be missing.
        complete_until=now if len(public) > MAX_ENTRIES or not all(map(reader.identify, private)) else None,
        extra=extra,
    )


def read_nodes(node: Node, name: str) -> list[Node]:
    """Return the objects of a list field."""
    value = node.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
