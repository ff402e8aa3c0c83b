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
