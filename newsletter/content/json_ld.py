"""Finds the JSON-LD nodes of a web page. It knows no kinds: callers choose the nodes they want."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from lxml.html import HtmlElement

_MOST_NODES = 5_000
_DEEPEST = 20


def nodes_in(tree: HtmlElement | None) -> list[Mapping[str, Any]]:
    """Every JSON-LD object of a page, at any depth, outer ones first; scripts that are not JSON are passed over."""
    found: list[Mapping[str, Any]] = []
    if tree is None:
        return found
    for script in tree.iter("script"):
        kind = str(script.get("type") or "").split(";")[0].strip().lower()
        if kind != "application/ld+json":
            continue
        data = _read(script.text or "")
        for node in _walk(data, _DEEPEST):
            found.append(node)
            if len(found) >= _MOST_NODES:
                return found
    return found


def _read(text: str) -> Any:
    bare = text.strip().removeprefix("<!--").removesuffix("-->").strip()
    bare = bare.removeprefix("//<![CDATA[").removesuffix("//]]>").strip().rstrip(";")
    joined = "".join(" " if ord(char) < 32 else char for char in bare)
    try:
        return orjson.loads(joined)
    except orjson.JSONDecodeError:
        return None


def _walk(data: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    if depth <= 0:
        return
    if isinstance(data, list):
        for item in data:
            yield from _walk(item, depth - 1)
    elif isinstance(data, dict):
        if data.get("@type"):
            yield data
        for name, value in data.items():
            if isinstance(value, dict | list) and name != "subEvent":
                yield from _walk(value, depth - 1)


def types_of(node: Mapping[str, Any]) -> tuple[str, ...]:
    """The bare names of a node's types ("https://schema.org/Event" gives "Event")."""
    raw = node.get("@type")
    return tuple(
        str(kind).rsplit("/", 1)[-1].rsplit(":", 1)[-1] for kind in (raw if isinstance(raw, list) else [raw]) if kind
    )


def mapping(raw: Any) -> Mapping[str, Any]:
    """The value as an object, {} when it is none."""
    return raw if isinstance(raw, dict) else {}


def first_text(raw: Any) -> str:
    """The text of a value: itself, its "@value", "name", "url" or "@id", or that of the first in a list; else ""."""
    if isinstance(raw, list):
        return next((text for item in raw if not isinstance(item, list) and (text := first_text(item))), "")
    if isinstance(raw, dict):
        for field in ("@value", "name", "url", "@id"):
            if isinstance(raw.get(field), str) and raw[field]:
                return str(raw[field])
        return ""
    return str(raw) if isinstance(raw, str | int | float) and not isinstance(raw, bool) else ""
