"""Sanitise HTML from outside, or turn it into plain text."""

import html as entities
import re

import nh3

from newsletter.content.parsing.markup_safety import is_deep_html
from newsletter.content.parsing.text import tidy

_TAGS = {"a", "b", "blockquote", "br", "em", "h2", "h3", "h4", "i", "li", "ol", "p", "strong", "u", "ul"}
_DROPPED_WHOLE = {
    "script", "style", "noscript", "iframe", "object", "svg", "math", "template", "title", "textarea",
    "select", "button",
}  # fmt: skip
_SCHEMES = {"http", "https", "mailto"}
_BREAKS = re.compile(
    r"<(?:br|/p|/div|/li|/h[1-6]|/tr|/blockquote|/figcaption|/section|/article)\b[^>]*>", re.IGNORECASE
)
_ANY_TAG = re.compile(r"<[^<>]*>?")
_MAX_TITLE_LENGTH = 20_000
_LIST_ITEM = re.compile(r"<li\b[^>]*>", re.IGNORECASE)
_BLOCK_TAGS = re.compile(
    r"<(br|/?(?:p|div|ol|ul|li|h[1-6]|tr|blockquote|figcaption|section|article))\b[^>]*>", re.IGNORECASE
)
_EDGE = "\f"  # white space in HTML, so that no text has it
_SPACE = re.compile(r"\s+")


def clean_html(text: str, *, base_url: str = "") -> str:
    """Return sanitised HTML for a mail: simple tags, absolute links to http, https and mailto, no images, no styles.

    Without a base URL, relative links lose their target. Cleaning a result again changes nothing.
    """
    rewrite = ("rewrite_with_base", base_url) if base_url.startswith(("http://", "https://")) else "deny"
    try:
        return _clean(text, rewrite)
    except ValueError:
        # The library cannot read this base, such as an invalid host name.
        return _clean(text, "deny")


def _clean(text: str, url_relative: object) -> str:
    return nh3.clean(
        _without_deep_nesting(text),
        tags=_TAGS,
        clean_content_tags=_DROPPED_WHOLE,
        attributes={"a": {"href"}, "*": set()},
        url_schemes=_SCHEMES,
        url_relative=url_relative,  # type: ignore[arg-type]
        link_rel=None,
    )


def plain_text(text: str) -> str:
    """Return the text of HTML: markup and scripts removed, entities decoded once, paragraphs as lines."""
    broken = _LIST_ITEM.sub("\n- ", _BREAKS.sub("\n", _without_deep_nesting(text)))
    bare = nh3.clean(broken, tags=set(), clean_content_tags=_DROPPED_WHOLE, attributes={}, link_rel=None)
    return tidy(entities.unescape(bare), keep_lines=True)


def paragraph_text(text: str) -> str:
    """Return the text of HTML with a blank line between paragraphs, and "- " or "1. " before the items of lists."""
    marked = _mark_lines(_SPACE.sub(" ", _without_deep_nesting(text)))
    bare = nh3.clean(marked, tags=set(), clean_content_tags=_DROPPED_WHOLE, attributes={}, link_rel=None)
    paragraphs = (tidy(part, keep_lines=True) for part in entities.unescape(bare).split(_EDGE))
    return "\n\n".join(part for part in paragraphs if part)


def _mark_lines(markup: str) -> str:
    """Return HTML with a new line where a line or an item ends, and ``_EDGE`` where a paragraph or a whole list does.

    ``lists`` has the last number in each open list, the innermost last. It is None in a list without numbers.
    """
    lists: list[int | None] = []

    def mark(tag: re.Match[str]) -> str:
        match tag[1].lower():
            case "br" | "/li":
                return "\n"
            case "ol" | "ul" as kind:
                lists.append(0 if kind == "ol" else None)
                return _EDGE if len(lists) == 1 else "\n"
            case "/ol" | "/ul":
                del lists[-1:]
                return "\n" if lists else _EDGE
            case "li" if lists and (last := lists[-1]) is not None:
                lists[-1] = last + 1
                return f"\n{last + 1}. "
            case "li":
                return "\n- "
            case _:
                return " " if lists else _EDGE

    return _BLOCK_TAGS.sub(mark, markup)


def title_text(text: str) -> str:
    """Return an HTML title as one line of text: markup removed, entities decoded once."""
    bare = nh3.clean(
        _without_deep_nesting(text[:_MAX_TITLE_LENGTH]),
        tags=set(),
        clean_content_tags={"script", "style"},
        attributes={},
        link_rel=None,
    )
    return tidy(entities.unescape(bare))


def _without_deep_nesting(text: str) -> str:
    """Return HTML that can be parsed in time: remove the markup if it is nested too deep."""
    markup = text.replace("\0", "")
    return _ANY_TAG.sub(" ", markup) if is_deep_html(markup) else markup
