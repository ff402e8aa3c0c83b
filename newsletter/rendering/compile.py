"""Compile MJML to mail HTML: check its source first, inline its CSS, finish its pictures. Tokens are counted at each step.

The compiler (MRML) does not check closing tags, names few positions, and crashes on deep nesting. In attributes it writes
many characters as Rust code: a label in Hindi would be read aloud as “u{93c}”.
"""

import re
from collections.abc import Iterable
from html import unescape
from math import gcd

from markupsafe import escape
from mjml import mjml2html

from newsletter.common.messages import Message, Quantity
from newsletter.rendering.blocks import Picture
from newsletter.rendering.colours import choose_text_colour, normalise_colour
from newsletter.rendering.errors import TemplateError
from newsletter.rendering.inline_styles import IGNORE, inline, shorten
from newsletter.rendering.lint.tag_balance import find_tag_problem
from newsletter.rendering.tokens import assert_tokens_kept

MAX_BYTES = 300_000
MAX_DEPTH = 200
_STYLE = re.compile(r"<style([^>]*)>(?!\s*/\*inline\*/)")
_TABLE_CELL = re.compile(
    r"<t(?=[rd][ >])"
)  # a line may break here without being seen; spam filters distrust long lines
_SPACER = re.compile(r'<div( style="height:\d+px;line-height:\d+px;">(?:\u200a|&#8202;)</div>)')
_IMAGE = re.compile(r"""<img\b(?:[^>"]++|"[^"]*+")*+>""")
_SOURCE, _WIDTH = re.compile(r"""\bsrc="([^"]*)\""""), re.compile(r"""\bwidth="(\d+)\"""")
_CLASSES = re.compile(r"""\bclass=["']([^"']*)""")
_LINKED_IMAGE = re.compile(r"(<a\b(?![^>]*\bstyle=)[^>]*)>(?=<img\b)")
_TAG = re.compile(r"""<[a-zA-Z][^<>"']*+(?:"[^"]*+"[^<>"']*+|'[^']*+'[^<>"']*+)*+>""")
_TITLE = re.compile(r"<(?:mj-)?title>[^<]*")
_VALUE = re.compile(r"""(["'])(.*?)\1""", re.DOTALL)
_WRITTEN_AS_CODE = re.compile(r"""["\\\t\n\r\u00a0-\U0010ffff]""")
_BEYOND_ASCII = 0xA0  # between are control characters
_REFERENCE = re.compile(r"&#(\d{3,7});")
_DECORATION = ' rel="decoration"'
"""The templates' mark of a linked picture that only repeats the linked title next to it."""


def check_source(mjml: str, *, block: str = "", kind: str = "") -> None:
    """Raise TemplateError for MJML that is too big, nested too deep, or whose tags do not close in order."""
    size = len(mjml.encode())
    if size > MAX_BYTES:
        raise TemplateError(
            Message(
                "%(block)s is %(size)s bytes before it becomes a mail; the limit is %(max_bytes)s. Shorten it.",
                block=_describe_location(block, kind),
                size=Quantity(size),
                max_bytes=Quantity(MAX_BYTES),
            ),
            block=block,
            kind=kind,
        )
    problem = find_tag_problem(mjml, max_depth=MAX_DEPTH)
    if problem:
        at = f" (line {problem.line})" if problem.line else ""
        message = Message(
            "%(block)s %(problem)s%(at)s. Simplify its text, or paste it again as plain text.",
            block=_describe_location(block, kind),
            problem=problem.problem,
            at=at,
        )
        raise TemplateError(message, block=block, kind=kind, line=problem.line)


def compile_mjml(mjml: str, *, block: str = "", kind: str = "") -> str:
    """Return the HTML of MJML, without inlined styles. Raise TemplateError, with the line if the compiler names it."""
    check_source(mjml, block=block, kind=kind)
    source = _refer_to_characters(mjml)
    try:
        html = _write_characters(mjml2html(source, fonts={}))
    except ValueError as error:
        line = _find_line(str(error), source)
        at = f", line {line}" if line else ""
        message = Message(
            "%(block)s%(at)s cannot become mail HTML: %(error)s. Look at its text and links.",
            block=_describe_location(block, kind),
            at=at,
            error=error,
        )
        raise TemplateError(message, block=block, kind=kind, line=line) from error
    assert_tokens_kept(before=mjml, after=html, step="layout")
    return html


def inline_styles(html: str) -> str:
    """Return the HTML with its one marked style block inlined. Responsive and dark rules do not change."""
    marked = _STYLE.sub(rf"<style{IGNORE}\1>", html.replace("<!doctype html>", "<!DOCTYPE html>", 1))
    finished = _TABLE_CELL.sub("\n<t", inline(marked).replace(' height="auto"', ""))
    finished = shorten(_hide_from_screen_readers(finished))
    assert_tokens_kept(before=html, after=finished, step="styles")
    # The description of a linked picture looks like that of others: not underlined as the text of a link.
    return _LINKED_IMAGE.sub(r'\1 style="text-decoration:none">', finished)


def reserve_picture_space(html: str, *, pictures: Iterable[Picture]) -> str:
    """Return the HTML whose pictures have their height, and their dominant colour behind them until they are loaded.

    The description of a picture is written on the colour. Both are in one rule of a style, so no mail program shows the ink of
    one without the other: classic Outlook reads no rule for screens.

    WebKit takes the shape of a blocked picture from its description, not from its width and height, unless the style says the
    shape. A logo says its largest height instead, because its description needs the room.
    """
    by_url, rules = {str(escape(picture.url)): picture for picture in pictures}, {}

    def change(match: re.Match[str]) -> str:
        tag, source, width = match[0], _SOURCE.search(match[0]), _WIDTH.search(match[0])
        picture = by_url.get(source[1]) if source else None
        if picture is None:
            return tag
        if width and "height:auto" in tag:
            height = max(1, round(int(width[1]) * picture.height / picture.width))
            tag = tag.replace(width[0], f'{width[0]} height="{height}"', 1)
            if "max-height" not in tag:
                shared = gcd(picture.width, picture.height)
                shape = f"{picture.width // shared}/{picture.height // shared}"
                tag = tag.replace("height:auto", f"height:auto;aspect-ratio:{shape}", 1)
        if not picture.colour:
            return tag
        # Three digits instead of six: the mail is shorter, and the eye sees no difference.
        digits = "".join(f"{round(int(picture.colour[at : at + 2], 16) / 17):x}" for at in (1, 3, 5))
        shade = f"c{digits}"
        ink = choose_text_colour(normalise_colour(digits, fallback=""))
        rules[shade] = f"img.{shade}{{background:#{digits}!important;color:{ink}!important}}"
        if _CLASSES.search(tag):
            return _CLASSES.sub(lambda classes: f"{classes[0]} {shade}", tag, count=1)
        return tag.replace("<img", f'<img class="{shade}"', 1)

    changed = _IMAGE.sub(change, html)
    if not rules:
        return changed
    style = f"<style>@media only screen{{{''.join(rules[shade] for shade in sorted(rules))}}}</style>"
    return changed.replace("</head>", f"{style}\n</head>", 1)


def _refer_to_characters(mjml: str) -> str:
    """Return the MJML with numbers (`&#2364;`) for the characters of attributes that the compiler may write as code.

    It copies the title of the mail into an attribute.
    """
    tags = _TAG.sub(lambda tag: _VALUE.sub(lambda value: f"{value[1]}{_refer(value[2])}{value[1]}", tag[0]), mjml)
    return _TITLE.sub(lambda title: _refer(title[0]), tags)


def _refer(text: str) -> str:
    return _WRITTEN_AS_CODE.sub(lambda character: f"&#{ord(character[0])};", text)


def _write_characters(html: str) -> str:
    """Return the HTML whose attributes and title have the characters beyond ASCII again, because they take fewer bytes."""

    def change(number: re.Match[str]) -> str:
        return unescape(number[0]) if int(number[1]) >= _BEYOND_ASCII else number[0]

    for pattern in (_TAG, _TITLE):
        html = pattern.sub(lambda found: _REFERENCE.sub(change, found[0]), html)
    return html


def _hide_from_screen_readers(html: str) -> str:
    """Return the HTML whose spacers and decorations are not read out. MJML has no attribute for that."""
    return _SPACER.sub(r'<div aria-hidden="true"\1', html).replace(_DECORATION, ' aria-hidden="true" tabindex="-1"')


def _describe_location(block: str, kind: str) -> str:
    name = f" “{block}”" if block else ""
    return (
        Message("The %(kind)s block%(named)s", kind=kind.replace("_", " "), named=name)
        if kind
        else Message("The block%(named)s", named=name)
        if block
        else Message("The mail")
    )


def _find_line(message: str, source: str) -> int:
    position = re.search(r"position (\d+):", message)
    return source.encode()[: int(position[1])].count(b"\n") + 1 if position else 0
