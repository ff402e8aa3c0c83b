"""Which picture is that of a page's story: the one the page names for sharing, else the one at the story's head."""

from collections.abc import Iterator, Mapping
from typing import Any

from lxml.html import HtmlElement

from newsletter.content.parsing.entry_rules import safe_link
from newsletter.content.parsing.feeds.pictures import find_alt_in_tree, find_picture_in_tree, tidy_alt
from newsletter.content.parsing.pages.article import find_main_article, is_outside
from newsletter.content.parsing.pages.json_ld import first_text, mapping
from newsletter.content.parsing.picture_urls import is_story_picture

_OPENERS = ("wp-block-post-featured-image", "wp-block-cover", "wp-post-image", "post-thumbnail", "featured-image")


def find_page_picture(
    tree: HtmlElement, *, meta: Mapping[str, str], node: Mapping[str, Any], url: str
) -> tuple[str, str]:
    """The (URL, alt text) of the story's picture, or ("", "")."""
    for said, words in _named(meta, node):
        link = safe_link(said, base_url=url)
        if link and is_story_picture(link):
            return link, tidy_alt(words) or find_alt_in_tree(tree, url=link)
    article = find_main_article(tree)
    for opener in _openers(tree):
        link, alt = find_picture_in_tree(opener, base_url=url)
        if link:
            return link, alt
    return find_picture_in_tree(article, base_url=url) if article is not None else ("", "")


def _named(meta: Mapping[str, str], node: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    alt = meta.get("og:image:alt", "")
    for name in ("og:image:secure_url", "og:image", "og:image:url"):
        yield meta.get(name, ""), alt
    image = node.get("image")
    for one in image if isinstance(image, list) else [image]:
        yield (
            first_text(mapping(one).get("url") or mapping(one).get("contentUrl") or one),
            first_text(mapping(one).get("caption")),
        )
    yield meta.get("twitter:image", ""), meta.get("twitter:image:alt", "")


def _openers(tree: HtmlElement) -> Iterator[HtmlElement]:
    """The elements that hold a story's opening picture by the names that themes give them, not those of other stories."""
    for element in tree.iter("figure", "div", "img", "picture", "header"):
        classes = str(element.get("class") or "").split()
        if any(name in classes for name in _OPENERS) and not is_outside(element):
            yield element
