"""Which picture belongs to an entry: the one it names, else the first real one in its HTML."""

from collections.abc import Iterator, Mapping
from typing import Any

import lxml.html
from lxml.etree import ParserError

from newsletter.content.entry_rules import safe_link
from newsletter.content.html import title_text
from newsletter.content.text import cut_at_word

_ENDINGS = (".jpg", ".jpeg", ".png", ".gif", ".webp")
_SMALLEST = 50
PICTURE_WORDS = "picturewords"
_ALT_LENGTH = 300


def first_picture(raw: Mapping[str, Any], *, base_url: str) -> tuple[str, str]:
    """The (URL, alt text) of the picture that a feed entry names in its own fields, or ("", "")."""
    for link, alt in _named(raw):
        safe = safe_link(link, base_url=base_url)
        if safe:
            return safe, cut_at_word(title_text(alt), _ALT_LENGTH)
    return "", ""


def _named(raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    alt = str(raw.get(f"media_{PICTURE_WORDS}") or "")
    media = [item for item in raw.get("media_content") or [] if _is_picture(item)]
    for item in sorted(media, key=lambda item: -_number(item.get("width"))):
        yield str(item.get("url") or ""), alt
    for item in raw.get("enclosures") or []:
        if _is_picture(item):
            yield str(item.get("href") or item.get("url") or ""), ""
    for item in raw.get("media_thumbnail") or []:
        yield str(item.get("url") or ""), alt
    image = raw.get("image")
    if isinstance(image, Mapping):
        yield str(image.get("href") or ""), str(image.get("title") or "")


def _is_picture(item: Mapping[str, Any]) -> bool:
    kind = str(item.get("type") or "")
    if kind:
        return kind.startswith("image/")
    return item.get("medium") == "image" or str(item.get("url") or item.get("href") or "").lower().endswith(_ENDINGS)


def picture_in_html(html: str, *, base_url: str) -> tuple[str, str]:
    """The (URL, alt text) of the first picture in HTML that is not a tracking pixel or an icon, or ("", "")."""
    if "<img" not in html.lower():
        return "", ""
    try:
        tree = lxml.html.fragment_fromstring(html.replace("\0", ""), create_parent="div")
    except (ParserError, ValueError):
        return "", ""
    for image in tree.iter("img"):
        sizes = [_number(image.get(side)) for side in ("width", "height") if image.get(side)]
        if any(size < _SMALLEST for size in sizes):
            continue
        link = safe_link(image.get("src") or image.get("data-src") or "", base_url=base_url)
        if link:
            return link, cut_at_word(title_text(image.get("alt") or ""), _ALT_LENGTH)
    return "", ""


def _number(text: object) -> int:
    digits = str(text or "").strip().removesuffix("px")
    return int(digits[:6]) if digits.isascii() and digits.isdigit() else 0
