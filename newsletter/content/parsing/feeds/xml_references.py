"""Numeric character references that name no character: they break feed parsers, so a mark takes their place."""

import re
from collections.abc import Mapping
from typing import Any

_REFERENCE = re.compile(rb"&#(?:[xX](?P<hex>[0-9a-fA-F]{1,20})|(?P<dec>[0-9]{1,20}));?")
_MARK = "\ufdd0"
_MARKED = f"&#x{ord(_MARK):X};".encode()
_FIELDS = ("title", "link", "id", "summary", "author")


def mark_bad_references(body: bytes) -> bytes:
    """Return the document with a mark for each reference to a surrogate, to NUL, or beyond the last character."""
    return _REFERENCE.sub(_mark, body)


def has_bad_reference(entry: Mapping[str, Any]) -> bool:
    """Return True if such a mark is in a text of the entry."""
    texts = [str(entry.get(name) or "") for name in _FIELDS]
    texts += [str(part.get("value") or "") for part in entry.get("content") or []]
    return any(_MARK in text for text in texts)


def _mark(match: "re.Match[bytes]") -> bytes:
    code = int(match["hex"], 16) if match["hex"] else int(match["dec"])
    bad = code == 0 or 0xD800 <= code <= 0xDFFF or code > 0x10FFFF
    return _MARKED if bad else match[0]
