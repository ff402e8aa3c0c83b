"""Find the JSON-LD nodes of a web page, of any type."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml.html import HtmlElement

from newsletter.content.parsing.json_text import read_repaired_json

_MAX_NODES = 5_000
_MAX_DEPTH = 20
_RELATED_EVENT_FIELDS = frozenset({"subEvent", "subEvents", "superEvent"})


@dataclass
class Nodes:
    """The JSON-LD objects of a page. ``repairs`` are the kinds of mistakes repaired, ``unreadable`` counts lost scripts."""

    found: list[Mapping[str, Any]] = field(default_factory=list)
    repairs: list[str] = field(default_factory=list)
    unreadable: int = 0


def list_nodes(tree: HtmlElement | None) -> list[Mapping[str, Any]]:
    """Return every JSON-LD object of a page, at any depth, outer ones first. Skip scripts that are not JSON."""
    return read_nodes(tree).found


def read_nodes(tree: HtmlElement | None) -> Nodes:
    """Return every JSON-LD object of a page, at any depth, outer ones first, and the errors of the scripts."""
    nodes = Nodes()
    for script in tree.iter("script") if tree is not None else ():
        kind = str(script.get("type") or "").split(";")[0].strip().lower()
        if kind != "application/ld+json" or not (script.text or "").strip():
            continue
        try:
            data, repaired = read_repaired_json(script.text or "")
        except ValueError:
            nodes.unreadable += 1
            continue
        nodes.repairs += [part for part in repaired.split(", ") if part and part not in nodes.repairs]
        for node in walk(data):
            nodes.found.append(node)
            if len(nodes.found) >= _MAX_NODES:
                return nodes
    return nodes


def walk(data: object, depth: int = _MAX_DEPTH) -> Iterator[Mapping[str, Any]]:
    """Yield every object with a type, at any depth, but not the super-events and sub-events of an event."""
    if depth <= 0:
        return
    if isinstance(data, list):
        for item in data:
            yield from walk(item, depth - 1)
    elif isinstance(data, dict):
        if data.get("@type"):
            yield data
        for name, value in data.items():
            if isinstance(value, dict | list) and name not in _RELATED_EVENT_FIELDS:
                yield from walk(value, depth - 1)


def types_of(node: Mapping[str, object]) -> tuple[str, ...]:
    """Return the bare names of a node's types ("https://schema.org/Event" gives "Event")."""
    raw = node.get("@type")
    return tuple(
        str(kind).rsplit("/", 1)[-1].rsplit(":", 1)[-1] for kind in (raw if isinstance(raw, list) else [raw]) if kind
    )


def first_text(raw: object) -> str:
    """Return the text of a value: itself, its "@value", "name", "url" or "@id", or that of the first in a list; else ""."""
    if isinstance(raw, list):
        return next((text for item in raw if not isinstance(item, list) and (text := first_text(item))), "")
    if isinstance(raw, dict):
        for field in ("@value", "name", "url", "@id"):
            if isinstance(raw.get(field), str) and raw[field]:
                return str(raw[field])
        return ""
    return str(raw) if isinstance(raw, str | int | float) and not isinstance(raw, bool) else ""
