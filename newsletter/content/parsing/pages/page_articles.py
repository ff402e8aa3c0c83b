"""Decide if a page has one story or a list of stories.

The headings, text, links and bylines of its articles decide, and the addresses of its nodes.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from newsletter.content.parsing.json_text import as_mapping
from newsletter.content.parsing.pages.json_ld import types_of
from newsletter.content.parsing.urls import normalise_url, safe_link

MIN_STORY_CHARS = 400
"""A page whose article with the main heading is shorter may be a list under that heading. Text inside links does not count."""
MIN_CHARS_PER_LINK = 200
"""An article needs so much more text for each other page that it links to: a list has a link in each short text."""
MIN_CHARS_WITHOUT_HEADING = 1000
"""An article without the main heading must be so long, and longer than ``TEASERS_SHARE`` allows for the others together."""
TEASERS_SHARE = 1 / 3
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_BYLINE_PROPERTIES = {"author", "datePublished"}


@dataclass
class _Article:
    """One ``article`` element. Its text, links and headings are without those of the articles in it.

    ``heading_link`` is the address to which its main heading links. ``has_byline``: it names its day or its author.
    """

    chars: int = 0
    linked_chars: int = 0
    links: set[str] = field(default_factory=set)
    has_main_heading: bool = False
    heading_link: str = ""
    has_byline: bool = False

    def is_prose(self, *, own: set[str], min_chars: int) -> bool:
        """Return True if it is long enough for the number of other pages that it links to."""
        others = set(map(normalise_url, self.links)) - own
        return self.chars - self.linked_chars >= min_chars + MIN_CHARS_PER_LINK * len(others)


@dataclass
class PageArticles:
    """The ``article`` elements of a page. A parser calls it for each tag and each text."""

    _all: list[_Article] = field(default_factory=list)
    _open: list[_Article] = field(default_factory=list)
    _link: str = ""
    _is_in_heading: bool = False
    _is_below_heading: bool = False
    _heading_has_byline: bool = False

    def start_tag(self, tag: str, values: Mapping[str, str], *, link: str = "") -> None:
        """Note a tag with its attributes. ``link`` is the whole address to which an ``a`` links, or ""."""
        if tag == "article":
            self._open.append(_Article())
            self._all.append(self._open[-1])
            self._is_below_heading = False
        elif tag == "a":
            self._link = link
        elif tag == "h1":
            self._is_in_heading = True
            self._is_below_heading = not self._open
        if self._open:
            self._note_in(self._open[-1], is_main_heading=tag == "h1")
        if _is_byline(tag, values):
            self._heading_has_byline |= self._is_below_heading
            if self._open:
                self._open[-1].has_byline = True

    def _note_in(self, article: _Article, *, is_main_heading: bool) -> None:
        article.has_main_heading |= is_main_heading
        if self._link:
            article.links.add(self._link)
            if self._is_in_heading:
                article.heading_link = self._link

    def end_tag(self, tag: str) -> None:
        if tag == "article" and self._open:
            self._open.pop()
        elif tag == "a":
            self._link = ""
        elif tag == "h1":
            self._is_in_heading = False

    def add_text(self, text: str) -> None:
        if self._open:
            chars = len(text.strip())
            self._open[-1].chars += chars
            self._open[-1].linked_chars += chars if self._link else 0

    @property
    def has_byline(self) -> bool:
        """Return True if an article, or the text below the main heading, names a day or an author."""
        return self._heading_has_byline or any(article.has_byline for article in self._all)

    def is_story(self, own: Iterable[str]) -> bool:
        """Return True if one article is the page's story, and the others are teasers, comments or none.

        ``own`` has the page's own addresses. A story names its day or its author; a page about contact or the team does not.
        """
        pages = {normalise_url(address) for address in own if address}
        headed = [article for article in self._all if article.has_main_heading]
        if headed:
            return len(headed) == 1 and _is_headed_story(headed[0], own=pages)
        *others, longest = sorted(self._all, key=lambda article: article.chars) or [_Article()]
        is_long = longest.is_prose(own=pages, min_chars=MIN_CHARS_WITHOUT_HEADING)
        teasers = sum(article.chars for article in others)
        return bool(others) and self._heading_has_byline and is_long and teasers <= TEASERS_SHARE * longest.chars


def _is_headed_story(article: _Article, *, own: set[str]) -> bool:
    is_own = not article.heading_link or normalise_url(article.heading_link) in own
    return is_own and article.has_byline and article.is_prose(own=own, min_chars=MIN_STORY_CHARS)


def _is_byline(tag: str, values: Mapping[str, str]) -> bool:
    """Return True for a tag that names a day or an author. An hour, such as that of an office, is no day."""
    names_day = tag == "time" and bool(_DAY.match(values.get("datetime", "").strip()))
    properties = {*values.get("itemprop", "").split()} & _BYLINE_PROPERTIES
    return names_day or bool(properties) or "author" in values.get("rel", "").lower().split()


def describes_own_page(texts: Iterable[str], *, own: Iterable[str], url: str) -> bool:
    """Return True if one story among the JSON-LD nodes has one of the page's ``own`` addresses. A list's stories have others."""
    addresses = {normalise_url(address) for address in own if address}
    stories = (node for node in _iter_nodes(texts) if any(map(_is_story_type, types_of(node))))
    return sum(bool(addresses & _list_pages(node, url=url)) for node in stories) == 1


def _iter_nodes(texts: Iterable[str]) -> Iterator[dict[str, object]]:
    for text in texts:
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            continue
        listed = document.get("@graph", [document]) if isinstance(document, dict) else document
        yield from (node for node in listed if isinstance(node, dict)) if isinstance(listed, list) else ()


def _is_story_type(name: str) -> bool:
    return name.endswith("Article") or name == "BlogPosting"


def _list_pages(node: dict[str, object], *, url: str) -> set[str]:
    main = node.get("mainEntityOfPage")
    values = (node.get("url"), node.get("@id"), as_mapping(main).get("@id"), as_mapping(main).get("url"), main)
    links = (safe_link(value, base_url=url) for value in values if isinstance(value, str))
    return {normalise_url(link) for link in links if link}
