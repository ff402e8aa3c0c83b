"""Bytes of a web page become a tree. It finds the encoding; it interprets nothing."""

import re

import lxml.html
from lxml.etree import ParserError
from lxml.html import HtmlElement

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)


def page_text(body: bytes, content_type: str = "") -> str:
    """The characters of a page: by its mark, by the answer's charset, as UTF-8, by its own meta tag, then Western."""
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode("utf-16", "replace")
    named = _CHARSET.search(content_type)
    inside = _CHARSET.search(body[:4096].decode("ascii", "ignore"))
    for encoding in (named and named[1], "utf-8-sig", inside and inside[1], "cp1252"):
        if not encoding:
            continue
        try:
            return body.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return body.decode("cp1252", "replace")


def decode_page(body: bytes, content_type: str = "") -> HtmlElement | None:
    """The tree of a page, or None when it holds no element."""
    text = page_text(body, content_type).replace("\0", "")
    try:
        return lxml.html.document_fromstring(
            text.encode("utf-8", "replace"), parser=lxml.html.HTMLParser(encoding="utf-8")
        )
    except (ParserError, ValueError):
        return None
