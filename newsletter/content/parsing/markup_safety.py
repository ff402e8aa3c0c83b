"""Find markup that would harm a parser: elements nested too deep, and XML documents that define entities."""

import codecs
import re
from collections import Counter
from collections.abc import Iterator

_TAG = re.compile(r"<(?P<end>/?)(?P<name>[a-zA-Z][^\s<>/]{0,60})(?P<rest>[^<>]*)>?")
_CDATA = re.compile(r"<!\[CDATA\[.*?\]\]>", re.DOTALL)
_NEVER_HOLDS = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "li", "link", "meta", "p", "source", "track", "wbr"]
)
_MAX_HTML_DEPTH = 1_000
_MAX_XML_DEPTH = 5_000
_SMALL = 256 * 1024
_PROLOG = re.compile(r"(?:\s*(?:<\?.*?\?>|<!--.*?-->))*\s*", re.DOTALL)
_SUBSET = re.compile(r"<!DOCTYPE[^>\[]*\[|<!ENTITY", re.IGNORECASE)
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_STARTS = (
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
    (b"\x4c\x6f\xa7\x94", "cp037"),
    (b"+ADw-", "utf-7"),
)
_DECLARED = re.compile(r"""<\?xml\b[^>]{0,200}?\bencoding\s*=\s*["']\s*([\w.:-]{1,40})""", re.IGNORECASE)
_CHARSET = re.compile(r"""charset\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE)
_FIRST_BYTES = 1_024
# Codecs that are not document encodings. They can turn harmless bytes into markup.
_NO_ENCODING = frozenset({"unicode-escape", "raw-unicode-escape", "idna", "punycode", "undefined", "unicode_escape"})


def is_deep_html(text: str) -> bool:
    """Return True if HTML opens more than 1,000 elements without closing them."""
    return _depth_exceeds(text, limit=_MAX_HTML_DEPTH, never_holds=_NEVER_HOLDS)


def is_deep_xml(body: bytes) -> bool:
    """Return True if a large XML document opens more than 5,000 elements without closing them."""
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


def has_internal_subset(body: bytes, *, content_type: str = "") -> bool:
    """Return True if an XML document defines entities, or declares an encoding in which that cannot be known.

    The byte order mark, the answer's charset, the declaration and the first bytes may each name another encoding, and a
    parser may believe any of them. So the document is checked in all of them.
    """
    for name in dict.fromkeys(_encodings(body, content_type)):
        codec = _codec(name)
        if codec in _NO_ENCODING:
            return True
        if codec and _opens_with_subset(body, codec):
            return True
    return _opens_with_subset(body.replace(b"\0", b""), "latin-1")


def _encodings(body: bytes, content_type: str) -> Iterator[str]:
    """Yield the encodings that the document may be in."""
    yield from ("utf-8", "latin-1")
    head = body[:_FIRST_BYTES]
    for mark, name in (*_BOMS, *_STARTS):
        if head.startswith(mark):
            yield name
            yield from _DECLARED.findall(head.decode(name, "replace"))
    yield from _CHARSET.findall(content_type)
    yield from _DECLARED.findall(head.replace(b"\0", b"").decode("latin-1"))


def _codec(name: str) -> str:
    """Return Python's name of an encoding, or "" if it has none."""
    try:
        return codecs.lookup(name).name
    except (LookupError, ValueError):
        return ""


def _opens_with_subset(body: bytes, codec: str) -> bool:
    try:
        text = body.decode(codec, "replace").lstrip("\ufeff\ufffe")
    except (LookupError, ValueError):
        # This is not a text encoding.
        return False
    start = _PROLOG.match(text)
    match = _SUBSET.match(text, start.end() if start else 0)
    return match is not None
