"""Tell the page of a story from a list of stories: by its articles' headings and lengths, and by the addresses of its nodes."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from newsletter.content.parsing.json_text import as_mapping
from newsletter.content.parsing.pages.json_ld import types_of
from newsletter.content.parsing.urls import normalise_url, safe_link

MIN_STORY_CHARS = 400
"""A page whose article with the main heading is shorter may be a list under that heading."""
MIN_CHARS_WITHOUT_HEADING = 1000
"""An article without the main heading must be so long, and longer than ``TEASERS_SHARE`` allows for the others together."""
TEASERS_SHARE = 1 / 3


@dataclass
class _Article:
    """One ``article`` element. Its text and headings are without those of the articles in it."""

    chars: int = 0
    has_main_heading: bool = False


@dataclass
class PageArticles:
    """The ``article`` elements of a page, told tag by tag."""

    _all: list[_Article] = field(default_factory=list)
    _open: list[_Article] = field(default_factory=list)

    def start_tag(self, tag: str) -> None:
        if tag == "article":
            article = _Article()
            self._all.append(article)
            self._open.append(article)
        elif tag == "h1" and self._open:
            self._open[-1].has_main_heading = True

    def end_tag(self, tag: str) -> None:
        if tag == "article" and self._open:
            self._open.pop()

    def add_text(self, text: str) -> None:
        if self._open:
            self._open[-1].chars += len(text.strip())

    def is_story(self) -> bool:
        """Return True if one article is the page's story, and the others are teasers, comments or none."""
        headed = [article for article in self._all if article.has_main_heading]
        if headed:
            return len(headed) == 1 and headed[0].chars >= MIN_STORY_CHARS
        *others, longest = sorted(article.chars for article in self._all) or [0]
        return bool(others) and longest >= MIN_CHARS_WITHOUT_HEADING and sum(others) <= TEASERS_SHARE * longest


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
