"""Choose the address of an image, and reject images that are not a story's: emoji, avatars, pixels, logos and icons."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote, urlsplit

MAX_PICTURE_WIDTH = 2000
"""A mail shows 1,200 pixels; a file wider than this only takes longer."""
MIN_PICTURE_SIDE = 50
_HOSTS = re.compile(
    r"(?:^|\.)(?:s\.w\.org|gravatar\.com|(?:pixel|stats)\.wp\.com|doubleclick\.net|feedburner\.com|facebook\.com"
    r"|google-analytics\.com|googletagmanager\.com|feedsportal\.com|scorecardresearch\.com|list-manage\.com)$",
    re.IGNORECASE,
)
_WORDS = frozenset(
    [
        "emoji", "emojis", "smiley", "smilies", "avatar", "avatars", "gravatar", "favicon", "icon", "icons", "logo",
        "logotype", "sprite", "sprites", "spinner", "placeholder", "1x1",
    ]
)  # fmt: skip
_STAND_INS = frozenset(
    [
        "badge", "blank", "default", "fallback", "loader", "loading", "logos", "pixel", "share", "social", "spacer",
        "tracking", "trans", "transparent",
    ]
)  # fmt: skip
_FILLERS = frozenset(
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
_LAZY = ("data-src", "data-lazy-src", "data-original", "data-orig-file", "data-full-url")
_LAZY_SETS = ("srcset", "data-srcset", "data-lazy-srcset")


def is_story_image(url: str) -> bool:
    """Return False for the address of an emoji, avatar, pixel, logo, icon or placeholder."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme == "data" or _HOSTS.search(host):
        return False
    folders, _, file = unquote(parts.path).rpartition("/")
    if "/emoji/" in f"{folders}/" or "/avatar/" in f"{folders}/" or file.lower().endswith(".svg"):
        return False
    stem = file.rpartition(".")[0] or file
    words = _PARTS.findall(_CAMEL.sub("-", stem).lower())
    telling = [word for word in words if not word.isdigit() and word not in _FILLERS and word not in _STAND_INS]
    return not _WORDS & set(words) and bool(telling or not _STAND_INS & set(words))


def is_large_enough(image: Mapping[str, str]) -> bool:
    """Return False for an ``img`` element (its attributes) that its page shows tiny, hidden, or as an icon."""
    sizes = [parse_pixels(image.get(side)) for side in ("width", "height") if image.get(side)]
    if any(size < MIN_PICTURE_SIDE for size in sizes) or _PIXEL_STYLE.search(image.get("style") or ""):
        return False
    return not _CLASSES & set((image.get("class") or "").lower().split())


def list_image_urls(image: Mapping[str, str]) -> list[str]:
    """Return the addresses of an ``img`` element, best first: its sizes, its late-loaded ones, its ``src``."""
    own = parse_pixels(image.get("width"))
    sized = [pair for name in _LAZY_SETS for pair in split_srcset(image.get(name) or "", own=own)]
    plain = [link for name in (*_LAZY, "src") if (link := image.get(name) or "")]
    best = choose_size([*sized, *((link, own) for link in plain[:1])])
    return [link for link in dict.fromkeys([best, *plain]) if link and not link.startswith("data:")]


def split_srcset(text: str, *, own: int = 0) -> list[tuple[str, int]]:
    """Return the (URL, width) pairs of a ``srcset``. A density ("2x") is a multiple of the image's ``own`` width."""
    found = []
    for match in _SRCSET_PART.finditer(text.strip()[:20_000]):
        if not match[1].startswith("data:"):
            unit = 1 if match[3] == "w" else own or 100
            found.append((match[1], int(float(match[2]) * unit) if match[2] else 0))
    return found


def choose_size(sizes: Iterable[tuple[str, int]]) -> str:
    """Return the widest of the (URL, width) pairs up to 2,000 pixels, else the smallest above, or "". A width of 0 is unknown."""
    known = [pair for pair in sizes if pair[0]]
    fitting = [pair for pair in known if pair[1] <= MAX_PICTURE_WIDTH]
    if fitting:
        return max(fitting, key=lambda pair: pair[1])[0]
    return min(known, key=lambda pair: pair[1], default=("", 0))[0]


def parse_pixels(text: object) -> int:
    digits = str(text or "").strip().removesuffix("px")
    return int(digits[:6]) if digits.isascii() and digits.isdigit() else 0
