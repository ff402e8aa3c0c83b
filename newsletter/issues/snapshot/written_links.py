"""The web addresses that staff wrote into a block: those of further reading, buttons, appeals, in texts. PURE."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

Content = dict[str, Any]
_ROW_BLOCK_KEYS = frozenset({"story", "stories", "events"})
_HREF = re.compile(r'\bhref="([^"]+)"')
_PICTURES = frozenset({"picture", "logo", "logo_dark"})


def find_written_links(block: Content) -> Iterator[str]:
    """Of a block that shows stories those alone that stand in place of a story's own; the others are of their rows."""
    if _ROW_BLOCK_KEYS.isdisjoint(block):
        yield from _links(block)
    for story in (block.get("story"), *block.get("stories", ())):
        if story and "own_url" in story:
            yield story["url"]


def _links(value: Any, *, name: str = "") -> Iterator[str]:
    match value:
        case str() if name == "html":
            yield from (unescape(found) for found in _HREF.findall(value))
        case str() if value.startswith(("http://", "https://")) and " " not in value.strip():
            yield value
        case list() | tuple():
            for item in value:
                yield from _links(item, name=name)
        case dict():
            for key, item in value.items():
                if key not in _PICTURES and not _is_picture(item):
                    yield from _links(item, name=key)


def _is_picture(value: Any) -> bool:
    return isinstance(value, dict) and "weight" in value
