"""Find the image of an entry: the one it names, else the first real one in its HTML.

Emoji, avatars, pixels, logos and icons are not a story's images.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import lxml.html
from lxml.etree import ParserError
from lxml.html import HtmlElement

from newsletter.content.parsing.markup import title_text
from newsletter.content.parsing.markup_safety import is_deep_html
from newsletter.content.parsing.text import cut_at_word
from newsletter.content.parsing.urls import safe_link

MAX_PICTURE_WIDTH = 2000
"""A mail shows 1,200 pixels; a file wider than this only takes longer."""
MIN_PICTURE_SIDE = 50
_TRACKER_HOSTS = re.compile(
    r"(?:^|\.)(?:s\.w\.org|gravatar\.com|(?:pixel|stats)\.wp\.com|doubleclick\.net|feedburner\.com|facebook\.com"
    r"|google-analytics\.com|googletagmanager\.com|feedsportal\.com|scorecardresearch\.com|list-manage\.com)$",
    re.IGNORECASE,
)
_ICON_WORDS = frozenset(
    [
        "emoji", "emojis", "smiley", "smilies", "avatar", "avatars", "gravatar", "favicon", "icon", "icons", "logo",
        "logotype", "sprite", "sprites", "spinner", "placeholder", "1x1",
    ]
)  # fmt: skip
_PLACEHOLDER_WORDS = frozenset(
    [
        "badge", "blank", "default", "fallback", "loader", "loading", "logos", "pixel", "share", "social", "spacer",
        "tracking", "trans", "transparent",
    ]
)  # fmt: skip
_NEUTRAL_WORDS = frozenset(
    [
        "card", "image", "img", "picture", "site", "thumbnail",
    ]
)  # fmt: skip
_CLASSES = frozenset(
    [
        "emoji", "wp-smiley", "avatar", "gravatar", "icon", "logo", "custom-logo", "site-logo", "spinner",
        "sd-social-icon", "share-icon",
    ]
)  # fmt: skip
_PARTS = re.compile(r"[a-z0-9]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_PIXEL_STYLE = re.compile(r"(?<![-\w])(?:width|height)\s*:\s*[01](?:px)?\s*(?:;|$|!)|display\s*:\s*none", re.IGNORECASE)
_SRCSET_PART = re.compile(r"(\S+?)(?:\s+(\d{1,5}(?:\.\d+)?)([wx])\s*(?:,|$)|\s*(?:,\s+|,?$))\s*")
_LAZY_ATTRIBUTES = ("data-src", "data-lazy-src", "data-original", "data-orig-file", "data-full-url")
_LAZY_ATTRIBUTES_SETS = ("srcset", "data-srcset", "data-lazy-srcset")
MEDIA_DESCRIPTION_FIELD = "picturewords"
_ENDINGS = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif")
_MAX_BYTES = 40 * 1024 * 1024
_ALT_LENGTH = 300
_SIZE_IN_NAME = re.compile(r"-(?:\d{2,5}x\d{2,5}|scaled)(?=\.\w{3,4}$)")


def is_story_image(url: str) -> bool:
    """Return False for the address of an emoji, avatar, pixel, logo, icon or placeholder."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme == "data" or _TRACKER_HOSTS.search(host):
        return False
    folders, _, file = unquote(parts.path).rpartition("/")
    if "/emoji/" in f"{folders}/" or "/avatar/" in f"{folders}/" or file.lower().endswith(".svg"):
        return False
    stem = file.rpartition(".")[0] or file
    words = _PARTS.findall(_CAMEL.sub("-", stem).lower())
    telling = [
        word for word in words if not word.isdigit() and word not in _NEUTRAL_WORDS and word not in _PLACEHOLDER_WORDS
    ]
    return not _ICON_WORDS & set(words) and bool(telling or not _PLACEHOLDER_WORDS & set(words))


def is_large_enough(image: Mapping[str, str]) -> bool:
    """Return False for an ``img`` element (its attributes) that its page shows tiny, hidden, or as an icon."""
    sizes = [parse_pixels(image.get(side)) for side in ("width", "height") if image.get(side)]
    if any(size < MIN_PICTURE_SIDE for size in sizes) or _PIXEL_STYLE.search(image.get("style") or ""):
        return False
    return not _CLASSES & set((image.get("class") or "").lower().split())


def list_image_urls(image: Mapping[str, str]) -> list[str]:
    """Return the addresses of an ``img`` element, best first: its sizes, its late-loaded ones, its ``src``."""
    own = parse_pixels(image.get("width"))
    sized = [pair for name in _LAZY_ATTRIBUTES_SETS for pair in split_srcset(image.get(name) or "", own=own)]
    plain = [link for name in (*_LAZY_ATTRIBUTES, "src") if (link := image.get(name) or "")]
    best = choose_size([*sized, *((link, own) for link in plain[:1])])
    return [link for link in dict.fromkeys([best, *plain]) if link and not link.startswith("data:")]


def split_srcset(text: str, *, own: int = 0) -> list[tuple[str, int]]:
    """Return the (URL, width) pairs of a ``srcset``. A density ("2x") is a multiple of the image's ``own`` width."""
    candidates = []
    for match in _SRCSET_PART.finditer(text.strip()[:20_000]):
        if not match[1].startswith("data:"):
            unit = 1 if match[3] == "w" else own or 100
            candidates.append((match[1], int(float(match[2]) * unit) if match[2] else 0))
    return candidates


def choose_size(sizes: Iterable[tuple[str, int]]) -> str:
    """Return the widest of the (URL, width) pairs up to 2,000 pixels, else the smallest above, or "". A width of 0 is unknown."""
    sized = [pair for pair in sizes if pair[0]]
    fitting = [pair for pair in sized if pair[1] <= MAX_PICTURE_WIDTH]
    if fitting:
        return max(fitting, key=lambda pair: pair[1])[0]
    return min(sized, key=lambda pair: pair[1], default=("", 0))[0]


def parse_pixels(text: object) -> int:
    digits = str(text or "").strip().removesuffix("px")
    return int(digits[:6]) if digits.isascii() and digits.isdigit() else 0


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
    file_name = _same_file(url)
    for image in _images(tree):
        if file_name and any(_same_file(link) == file_name for link in list_image_urls(image.attrib)):
            return tidy_alt(image.get("alt") or "")
    return ""


def tidy_alt(text: str) -> str:
    return cut_at_word(title_text(text), _ALT_LENGTH)


def _images(tree: HtmlElement) -> Iterator[HtmlElement]:
    """Yield the images in order. A ``noscript`` element has the real address of an image that is loaded late."""
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
