"""Find the menus of a page that marks neither its story nor its navigation, and remove them from its text."""

import re
from collections.abc import Iterator

from lxml.html import HtmlElement

from newsletter.content.parsing.pages.article import find_main_article
from newsletter.content.parsing.text import tidy

_BLOCKS = ("ul", "ol", "dl", "table", "div", "p", "center", "td", "header", "section", "form")
_MIN_LINKS = 3
_MAX_LINK_CHARS = 40
_MIN_LINK_SHARE = 0.8
_SEPARATORS = re.compile(r"[\s|·•:/»«›‹>,–—-]+")


def remove_link_lists(tree: HtmlElement) -> None:
    """Remove menus from the tree, unless the page marks its story: then everything around it is left out anyway.

    A menu is a block, or a row of links in the page itself, that holds three links or more and hardly any other text.
    """
    if find_main_article(tree) is not None:
        return
    for block in [block for block in tree.iter(*_BLOCKS) if _is_link_list(block)]:
        if block.getparent() is not None:
            block.drop_tree()
    for row in list(_find_bare_rows(tree)):
        for link in row:
            if not _plain(link.tail or ""):
                link.tail = " "
            link.drop_tree()


def _is_link_list(block: HtmlElement) -> bool:
    links = [_plain(link.text_content()) for link in block.iter("a")]
    if len(links) < _MIN_LINKS or any(True for _ in block.iter("h1", "h2")):
        return False
    length = len(_plain(block.text_content()))
    in_links = sum(map(len, links))
    return in_links >= _MIN_LINK_SHARE * length and in_links <= _MAX_LINK_CHARS * len(links)


def _find_bare_rows(tree: HtmlElement) -> Iterator[list[HtmlElement]]:
    """Yield the rows of links with nothing but separators and line breaks between them."""
    for parent in tree.iter("body", *_BLOCKS):
        row: list[HtmlElement] = []
        for child in parent:
            if child.tag == "a" and len(_plain(child.text_content())) <= _MAX_LINK_CHARS:
                row.append(child)
            elif child.tag != "br":
                yield from _complete(row)
                row = []
                continue
            if _plain(child.tail or ""):
                yield from _complete(row)
                row = []
        yield from _complete(row)


def _complete(row: list[HtmlElement]) -> Iterator[list[HtmlElement]]:
    if len(row) >= _MIN_LINKS:
        yield row


def _plain(text: str) -> str:
    """Return the letters of a text, without the signs between links."""
    return _SEPARATORS.sub("", tidy(text))
