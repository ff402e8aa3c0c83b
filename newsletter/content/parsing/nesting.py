"""Tells markup nested so deep that parsers take minutes over it, before any parser sees it. One pass, no tree."""

import re
from collections import Counter

_TAG = re.compile(r"<(?P<end>/?)(?P<name>[a-zA-Z][^\s<>/]{0,60})(?P<rest>[^<>]*)>?")
_CDATA = re.compile(r"<!\[CDATA\[.*?\]\]>", re.DOTALL)
_NEVER_HOLDS = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "li", "link", "meta", "p", "source", "track", "wbr"]
)
_MAX_HTML_DEPTH = 1_000
_MAX_XML_DEPTH = 5_000
_SMALL = 256 * 1024


def is_deep_html(text: str) -> bool:
    """Whether HTML opens more than a thousand elements without closing them."""
    return _depth_exceeds(text, limit=_MAX_HTML_DEPTH, never_holds=_NEVER_HOLDS)


def is_deep_xml(body: bytes) -> bool:
    """Whether a large XML document opens more than five thousand elements without closing them."""
    if len(body) < _SMALL:
        return False
    text = _CDATA.sub("", body.replace(b"\0", b"").decode("latin-1"))
    return _depth_exceeds(text, limit=_MAX_XML_DEPTH, never_holds=frozenset())


def _depth_exceeds(text: str, *, limit: int, never_holds: frozenset[str]) -> bool:
    open_by_name: Counter[str] = Counter()
    depth = 0
    for match in _TAG.finditer(text):
        name = match["name"].lower()
        if name in never_holds or (not never_holds and match["rest"].endswith("/")):
            continue
        if not match["end"]:
            open_by_name[name] += 1
            depth += 1
        elif open_by_name[name]:
            open_by_name[name] -= 1
            depth -= 1
        if depth > limit:
            return True
    return False
