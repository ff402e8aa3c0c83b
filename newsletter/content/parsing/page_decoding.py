"""Decode the bytes of a web page into a tree."""

import re

import lxml.html
from lxml.etree import ParserError
from lxml.html import HtmlElement

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)


def page_text(body: bytes, content_type: str = "") -> str:
    """Decode a page by its byte order mark, the answer's charset, UTF-8, its own meta tag, or Windows-1252."""
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode("utf-16", "replace")
    charset = _CHARSET.search(content_type)
    inside = _CHARSET.search(body[:4096].decode("ascii", "ignore"))
    for encoding in (charset and charset[1], "utf-8-sig", inside and inside[1], "cp1252"):
        if not encoding:
            continue
        try:
            return body.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return body.decode("cp1252", "replace")


def decode_page(body: bytes, content_type: str = "") -> HtmlElement | None:
    """Return the tree of a page, or None if it has no element."""
    text = page_text(body, content_type).replace("\0", "")
    try:
        return lxml.html.document_fromstring(
            text.encode("utf-8", "replace"), parser=lxml.html.HTMLParser(encoding="utf-8")
        )
    except (ParserError, ValueError):
        return None
