"""Tells XML that brings definitions of its own, before any parser sees it."""

import re

_PROLOG = re.compile(rb"(?:\s*(?:<\?.*?\?>|<!--.*?-->))*\s*", re.DOTALL)
_SUBSET = re.compile(rb"<!DOCTYPE[^>\[]*\[", re.IGNORECASE)
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def has_internal_subset(body: bytes) -> bool:
    """Whether an XML document, in any encoding, opens with a DOCTYPE that defines entities itself."""
    head = body
    for mark in _BOMS:
        head = head.removeprefix(mark)
    head = head.replace(b"\0", b"")
    start = _PROLOG.match(head)
    return _SUBSET.match(head, start.end() if start else 0) is not None
