"""Find the image of an entry: the one it names, else the first real one in its HTML."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import lxml.html
from lxml.etree import ParserError
from lxml.html import HtmlElement

from newsletter.content.parsing.entry_rules import safe_link
from newsletter.content.parsing.html import title_text
from newsletter.content.parsing.markup_guard import is_deep_html
from newsletter.content.parsing.picture_urls import (
    MIN_PICTURE_SIDE,
    choose_size,
    is_large_enough,
    is_story_image,
    list_image_urls,
    parse_pixels,
)
from newsletter.content.parsing.text import cut_at_word

MEDIA_DESCRIPTION_FIELD = "picturewords"
_ENDINGS = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif")
_MAX_BYTES = 40 * 1024 * 1024
_ALT_LENGTH = 300
_SIZE_IN_NAME = re.compile(r"-(?:\d{2,5}x\d{2,5}|scaled)(?=\.\w{3,4}$)")


def find_named_picture(raw: Mapping[str, object], *, base_url: str, html: str = "") -> tuple[str, str]:
    """Return the (URL, alt text) of the image that a feed entry names in its own fields, or ("", "").

    If the field has no alt text, use that of the same image in the entry's ``html``.
    """
    for link, alt in _named(raw):
        safe = safe_link(link, base_url=base_url)
        if safe and is_story_image(safe):
            return safe, tidy_alt(alt) or find_alt_in_html(html, url=safe)
    return "", ""


def _named(raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    alt = str(raw.get(f"media_{MEDIA_DESCRIPTION_FIELD}") or "")
    media = [item for item in raw.get("media_content") or [] if _is_picture(item)]
    sizes = [(str(item.get("url") or ""), parse_pixels(item.get("width"))) for item in media]
    while sizes:
        best = choose_size(sizes)
        yield best, alt
        sizes = [pair for pair in sizes if pair[0] and pair[0] != best]
    for item in raw.get("enclosures") or []:
        if _is_picture(item):
            yield str(item.get("href") or item.get("url") or ""), ""
    yield from ((link, alt) for link in _thumbnails(raw))
    image = raw.get("image")
    if isinstance(image, Mapping):
        yield str(image.get("href") or ""), str(image.get("title") or "")


def _thumbnails(raw: Mapping[str, Any]) -> list[str]:
    items = [(str(item.get("url") or ""), parse_pixels(item.get("width"))) for item in raw.get("media_thumbnail") or []]
    return [link for link, _ in sorted(items, key=lambda pair: -pair[1])]


def _is_picture(item: Mapping[str, object]) -> bool:
    if _is_too_much(item):
        return False
    kind = str(item.get("type") or "")
    if kind:
        return kind.startswith("image/") and "svg" not in kind
    path = str(item.get("url") or item.get("href") or "").split("?")[0].split("#")[0]
    return item.get("medium") == "image" or path.lower().endswith(_ENDINGS)


def _is_too_much(item: Mapping[str, object]) -> bool:
    """Return True for a tracking pixel by its stated size, or for a file too large to fetch."""
    tiny = any(item.get(side) and parse_pixels(item.get(side)) < MIN_PICTURE_SIDE for side in ("width", "height"))
    size = str(item.get("filesize") or item.get("length") or "")[:15]
    return tiny or (size.isascii() and size.isdigit() and int(size) > _MAX_BYTES)


def find_picture_in_html(html: str, *, base_url: str) -> tuple[str, str]:
    """Return the (URL, alt text) of the first image in HTML that belongs to its story, or ("", "")."""
    tree = _tree(html)
    return find_picture_in_tree(tree, base_url=base_url) if tree is not None else ("", "")


def find_picture_in_tree(tree: HtmlElement, *, base_url: str) -> tuple[str, str]:
    """Return the same for parsed HTML. An image that is loaded late has the address from which it is loaded."""
    for image in _images(tree):
        if not is_large_enough(image.attrib):
            continue
        for link in list_image_urls(image.attrib):
            safe = safe_link(link, base_url=base_url)
            if safe and is_story_image(safe):
                return safe, tidy_alt(image.get("alt") or "")
    return "", ""


def find_alt_in_html(html: str, *, url: str) -> str:
    """Return the alt text of the image at ``url`` if the HTML shows it in any size, else ""."""
    tree = _tree(html)
    return find_alt_in_tree(tree, url=url) if tree is not None else ""


def find_alt_in_tree(tree: HtmlElement, *, url: str) -> str:
    wanted = _same_file(url)
    for image in _images(tree):
        if wanted and any(_same_file(link) == wanted for link in list_image_urls(image.attrib)):
            return tidy_alt(image.get("alt") or "")
    return ""


def tidy_alt(text: str) -> str:
    return cut_at_word(title_text(text), _ALT_LENGTH)


def _images(tree: HtmlElement) -> Iterator[HtmlElement]:
    """Yield the images in order. A ``noscript`` element holds the real one of an image that is loaded late."""
    for element in tree.iter("img", "noscript"):
        if element.tag == "img":
            yield element
        elif element.text and "<img" in element.text.lower():
            inner = _tree(element.text)
            yield from inner.iter("img") if inner is not None else ()


def _tree(html: str) -> HtmlElement | None:
    if "<img" not in html.lower() or is_deep_html(html):
        return None
    try:
        return lxml.html.fragment_fromstring(html.replace("\0", ""), create_parent="div")
    except (ParserError, ValueError):
        return None


def _same_file(url: str) -> str:
    return _SIZE_IN_NAME.sub("", url.split("?")[0].rsplit("/", 1)[-1]).lower()
