"""Find the part of a page that links to related stories, and remove it."""

import copy
import re

from lxml.html import HtmlElement

from newsletter.content.parsing.text import cut_at_word, tidy
from newsletter.content.parsing.urls import safe_link

_HEADING = re.compile(
    r"^(?:you (?:might|may) also (?:be interested in|like|enjoy)"
    r"|related (?:stories|articles|posts|news|content|reading)"
    r"|(?:more|other|further|latest|recent) (?:stories|articles|news)|read (?:more|next|also)|keep reading|related"
    r"|more (?:like this|from .{1,40}))\s*(?:…|\.\.\.|:)?$",
    re.IGNORECASE,
)
_EMPTY_WORDS = re.compile(
    r"^(?:see|read|view|learn|find out|show) (?:more|all)\b.*$|\b(?:see|read|view|show) (?:more|all)$"
    r"|^(?:more|share|tweet|next|previous)$",
    re.I,
)
_TITLES = ("h2", "h3", "h4", "h5", "h6", "strong")
_MAX_LINKS = 6
_MAX_CLIMB = 4
_MIN_TITLE_LENGTH = 12


def find_related_stories(tree: HtmlElement, *, base_url: str, own_url: str) -> tuple[tuple[str, str], ...]:
    """Return the (title, URL) pairs under a heading such as "You might also be interested in", in order, at most six."""
    section = _section(tree)
    title_by_url: dict[str, str] = {}
    for link in section.iter("a") if section is not None else ():
        url = safe_link(str(link.get("href") or ""), base_url=base_url).split("#")[0]
        title = _link_title(link)
        if not url or url in (own_url, base_url) or len(title) < _MIN_TITLE_LENGTH or _EMPTY_WORDS.search(title):
            continue
        title_by_url.setdefault(url, cut_at_word(title, 300))
    return tuple((title, url) for url, title in title_by_url.items())[:_MAX_LINKS]


def remove_related(tree: HtmlElement) -> HtmlElement:
    """Return a copy of the page without that part, so that its text and pseudonyms do not count as the story's."""
    copied = copy.deepcopy(tree)
    section = _section(copied)
    parent = section.getparent() if section is not None else None
    if section is not None and parent is not None and section.tag not in ("body", "html", "main", "article"):
        section.drop_tree()
    return copied


def _section(tree: HtmlElement) -> HtmlElement | None:
    """Return the smallest element around such a heading that holds links to stories."""
    for element in tree.iter("h1", "h2", "h3", "h4", "h5", "h6", "p", "div", "span", "strong", "summary"):
        if len(element) > 2 or not _HEADING.match(tidy(element.text_content())[:80]):
            continue
        around = element
        for _ in range(_MAX_CLIMB):
            around = around.getparent()
            if around is None or around.tag in ("body", "html"):
                break
            if next(around.iter("a"), None) is not None:
                return around
    return None


def _link_title(link: HtmlElement) -> str:
    """Return the heading in a link, else its first line of text."""
    heading = next((tidy(part.text_content()) for part in link.iter(*_TITLES) if tidy(part.text_content())), "")
    if heading:
        return heading
    lines = (tidy(text) for text in link.itertext())
    return next((line for line in lines if line), "")
