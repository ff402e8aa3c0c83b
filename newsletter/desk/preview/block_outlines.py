"""Place boxes in the preview of a mail: where a block will be that is not in it, and who sees a block that not all see."""

import re
from collections.abc import Mapping, Sequence

from django.utils.html import format_html

from newsletter.common.messages import Message
from newsletter.common.translation import translate
from newsletter.issues.snapshot.incomplete_parts import IncompletePart

_MARK = re.compile(r'<div data-block="([^"]*)" hidden(?:="")?></div>')
_BOX = "max-width:560px;margin:16px auto;padding:16px;font:16px/1.5 Arial,sans-serif"
_UNFINISHED = f"{_BOX};border:2px dashed #b3541e;background:#fff8f2;color:#5a2a0c"
_CLOSED = f"{_BOX};border:2px dashed #5c6670;background:#f6f8f9;color:#2b333b"
_LIMITED = (
    "max-width:592px;margin:0 auto;padding:4px 16px;font:14px/1.5 Arial,sans-serif;background:#e6eef5;color:#1f3347"
)


def show_unfinished(html: str, *, keys: Sequence[str], unfinished: Sequence[IncompletePart]) -> str:
    """Return a mail with marked blocks and a box for each unfinished one. ``keys`` are those of all blocks, in order."""
    for block in unfinished:
        html = _insert(html, keys=keys, key=block.key, box=_make_box(_UNFINISHED, block.message))
    return html


def show_limits(html: str, *, keys: Sequence[str], limits: Mapping[str, Message], closed: Sequence[str]) -> str:
    """Return a mail with marked blocks that says who sees each block that not everybody sees.

    A block that these readers do not see, whose key is in ``closed``, is a box.
    """
    for key, message in limits.items():
        if key in closed:
            html = _insert(html, keys=keys, key=key, box=_make_box(_CLOSED, message))
        elif mark := next((mark for mark in _MARK.finditer(html) if mark[1] == key), None):
            html = html[: mark.end()] + _make_box(_LIMITED, message) + html[mark.end() :]
    return html


def _insert(html: str, *, keys: Sequence[str], key: str, box: str) -> str:
    """Insert a marked box before the block that follows this one."""
    if key not in keys:
        return html
    followers = {*keys[keys.index(key) + 1 :], ""}
    following = next((mark for mark in _MARK.finditer(html) if mark[1] in followers), None)
    if following is None:
        return html
    return (
        html[: following.start()]
        + format_html('<div data-block="{}" hidden></div>', key)
        + box
        + html[following.start() :]
    )


def _make_box(style: str, message: str) -> str:
    return format_html('<div style="{}">{}</div>', style, translate(message))
