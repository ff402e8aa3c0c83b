"""Compile MJML to mail HTML, check its source first, and inline its CSS. Tokens are counted at each step.

The compiler (MRML) does not check closing tags, names few positions, and crashes on deep nesting.
"""

import re

from mjml import mjml2html

from newsletter.common.messages import Message, Quantity
from newsletter.rendering.errors import TemplateError
from newsletter.rendering.finishing.inline import IGNORE, inline
from newsletter.rendering.finishing.shorten import shorten
from newsletter.rendering.lint.tag_balance import find_tag_problem
from newsletter.rendering.tokens import assert_tokens_kept

MAX_BYTES = 300_000
MAX_DEPTH = 200
_STYLE = re.compile(r"<style([^>]*)>(?!\s*/\*inline\*/)")
_TABLE_CELL = re.compile(
    r"<t(?=[rd][ >])"
)  # a line may break here without being seen; spam filters distrust long lines
_SPACER = re.compile(r'<div( style="height:\d+px;line-height:\d+px;">(?:\u200a|&#8202;)</div>)')
_DECORATION = ' rel="decoration"'
"""The templates' mark of a linked picture that says no more than the linked title beside it."""


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
    try:
        html = mjml2html(mjml, fonts={})
    except ValueError as error:
        line = _find_line(str(error), mjml)
        at = f", line {line}" if line else ""
        message = Message(
            "%(block)s%(at)s cannot become mail HTML: %(error)s. Look at its text and links.",
            block=_describe_location(block, kind),
            at=at,
            error=error,
        )
        raise TemplateError(message, block=block, kind=kind, line=line) from error
    assert_tokens_kept(before=mjml, after=html, step="layout")
    return str(html)


def inline_styles(html: str) -> str:
    """Return the HTML with its one marked style block inlined. Responsive and dark rules do not change."""
    marked = _STYLE.sub(rf"<style{IGNORE}\1>", html.replace("<!doctype html>", "<!DOCTYPE html>", 1))
    finished = _TABLE_CELL.sub("\n<t", inline(marked).replace(' height="auto"', ""))
    finished = shorten(_hide_from_screen_readers(finished))
    assert_tokens_kept(before=html, after=finished, step="styles")
    return finished


def _hide_from_screen_readers(html: str) -> str:
    """Return the HTML whose spacers and decorations are not read out. MJML has no attribute for that."""
    return _SPACER.sub(r'<div aria-hidden="true"\1', html).replace(_DECORATION, ' aria-hidden="true" tabindex="-1"')


def _describe_location(block: str, kind: str) -> str:
    named = f" “{block}”" if block else ""
    return (
        Message("The %(kind)s block%(named)s", kind=kind.replace("_", " "), named=named)
        if kind
        else Message("The block%(named)s", named=named)
        if block
        else Message("The mail")
    )


def _find_line(message: str, source: str) -> int:
    position = re.search(r"position (\d+):", message)
    return source.encode()[: int(position[1])].count(b"\n") + 1 if position else 0
