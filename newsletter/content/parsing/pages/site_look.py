"""Find in a web site's first page and style sheets what a brand needs: name, logo, colours, fonts; and its feeds."""

import colorsys
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

MAX_CHARS = 600_000
MAX_LINKS = 20
_FEED_TYPES = {
    "application/rss+xml": "feed",
    "application/atom+xml": "feed",
    "application/feed+json": "feed",
    "text/calendar": "calendar",
}
_COLOUR = re.compile(
    r"#([0-9a-fA-F]{6}|[0-9a-fA-F]{3})(?![0-9a-fA-F])|rgba?\(\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})"
)
_PROPERTY = re.compile(r"--([\w-]{1,60})\s*:\s*([^;}]{1,200})")
_RULE = re.compile(r"([^{}]{1,300})\{([^{}]{0,4000})\}")
_FONT = re.compile(r"(?:^|;)\s*font-family\s*:\s*([^;]{1,300})", re.IGNORECASE)
_BACKGROUND = re.compile(r"(?:^|;)\s*background(?:-color)?\s*:\s*([^;]{1,200})", re.IGNORECASE)
_VARIABLE = re.compile(r"var\(\s*--([\w-]{1,60})")
_BRAND_NAME = re.compile(r"primary|brand|accent|theme|main", re.IGNORECASE)
_BRAND_WEIGHT = 40
_MIN_SATURATION, _MIN_LIGHT, _MAX_LIGHT = 0.25, 0.08, 0.85
_OTHER_HUE = 0.08


@dataclass(frozen=True)
class FeedLink:
    """An address that the page names as a feed or calendar. ``kind`` is that of a source."""

    kind: str
    url: str
    title: str = ""


@dataclass(frozen=True)
class SitePage:
    """The look of a site, as one of its pages tells it. ``logos`` and ``stylesheets`` are addresses, the likeliest logo first."""

    name: str = ""
    theme_colour: str = ""
    logos: tuple[str, ...] = ()
    stylesheets: tuple[str, ...] = ()
    styles: str = ""
    feeds: tuple[FeedLink, ...] = ()
    is_wordpress: bool = False


@dataclass(frozen=True)
class SiteColours:
    """Colours as ``#rrggbb``; "" if none was found. The fonts are CSS lists as the site writes them."""

    colour: str = ""
    accent: str = ""
    background: str = ""
    font: str = ""
    heading_font: str = ""


@dataclass
class _Found:
    title: str = ""
    site_name: str = ""
    theme_colour: str = ""
    logos: list[tuple[int, str]] = field(default_factory=list)
    stylesheets: list[str] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    feeds: list[FeedLink] = field(default_factory=list)
    is_wordpress: bool = False


class _Reader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.url = url
        self.found = _Found()
        self._inside = ""
        self._is_data = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._inside = tag if tag in ("title", "style", "script") else ""
        self._is_data = tag == "script" and values.get("type", "").lower() == "application/ld+json"
        if tag == "meta":
            self._read_meta(values)
        elif tag == "link":
            self._read_link(values)
        elif tag == "img":
            self._read_image(values)
        if values.get("style"):
            self.found.styles.append(f"x{{{values['style']}}}")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "title" and not self.found.title:
            self.found.title = data
        elif self._inside == "style":
            self.found.styles.append(data)
        elif self._is_data and self._inside == "script":
            self.found.data.append(data)

    def _read_meta(self, values: dict[str, str]) -> None:
        name = (values.get("property") or values.get("name") or "").lower()
        if name == "og:site_name":
            self.found.site_name = values.get("content", "")
        elif name == "theme-color" and not self.found.theme_colour:
            self.found.theme_colour = values.get("content", "")

    def _read_link(self, values: dict[str, str]) -> None:
        rel, address = values.get("rel", "").lower().split(), _join(self.url, values.get("href", ""))
        if not address:
            return
        kind = _FEED_TYPES.get(values.get("type", "").lower().strip())
        if "stylesheet" in rel and len(self.found.stylesheets) < MAX_LINKS:
            self.found.stylesheets.append(address)
        elif "alternate" in rel and kind and len(self.found.feeds) < MAX_LINKS:
            self.found.feeds.append(FeedLink(kind=kind, url=address, title=values.get("title", "").strip()[:120]))
        elif any(name.startswith("https://api.w.org") for name in rel):
            self.found.is_wordpress = True
        elif "apple-touch-icon" in rel:
            self.found.logos.append((2, address))

    def _read_image(self, values: dict[str, str]) -> None:
        address = _join(self.url, values.get("src") or values.get("data-src") or "")
        texts = " ".join(values.get(name, "") for name in ("class", "id", "alt", "src")).lower()
        if address and "logo" in texts and len(self.found.logos) < MAX_LINKS:
            self.found.logos.append((1, address))


def read_site_page(html: str, *, url: str) -> SitePage:
    """Return what the page at ``url`` says about its site. A broken page gives what was read before the break."""
    reader = _Reader(url)
    reader.feed(html[:MAX_CHARS])
    found = reader.found
    logos = [(0, logo) for logo in _list_structured_logos(found.data, url=url)] + found.logos
    ordered = [address for _, address in sorted(logos, key=lambda logo: logo[0]) if not _is_vector(address)]
    return SitePage(
        name=_site_name(found),
        theme_colour=_first_colour(found.theme_colour),
        logos=tuple(dict.fromkeys(ordered)),
        stylesheets=tuple(dict.fromkeys(found.stylesheets)),
        styles="\n".join(found.styles)[:MAX_CHARS],
        feeds=tuple({feed.url: feed for feed in reversed(found.feeds)}.values())[::-1],
        is_wordpress=found.is_wordpress,
    )


def find_site_colours(css: str, *, theme_colour: str = "") -> SiteColours:
    """Return the site's two strongest colours, a light background, and the fonts of its text and headings."""
    css = css[:MAX_CHARS]
    properties = dict(_PROPERTY.findall(css))
    weights: Counter[str] = Counter(colour for match in _COLOUR.finditer(css) if (colour := _to_hex(match)))
    for name, value in properties.items():
        if _BRAND_NAME.search(name) and (colour := _first_colour(value)):
            weights[colour] += _BRAND_WEIGHT
    if theme_colour:
        weights[theme_colour] += _BRAND_WEIGHT
    strong = [colour for colour, _ in weights.most_common() if _is_strong(colour)]
    first = strong[0] if strong else ""
    second = next((colour for colour in strong if _hue_distance(colour, first) > _OTHER_HUE), first)
    fonts = _find_fonts(css, properties)
    return SiteColours(
        colour=first,
        accent=second,
        background=_find_background(css, properties),
        font=fonts.get("body", ""),
        heading_font=fonts.get("h1", fonts.get("h2", "")),
    )


def _find_fonts(css: str, properties: dict[str, str]) -> dict[str, str]:
    fonts: dict[str, str] = {}
    for selectors, body in _RULE.findall(css):
        font = _FONT.search(body)
        if font is None:
            continue
        names = {name.strip().lower() for name in selectors.split(",")}
        for name in ("body", "h1", "h2"):
            if name in names or (name == "body" and "html" in names):
                fonts.setdefault(name, _resolve(font[1], properties))
    return fonts


def _find_background(css: str, properties: dict[str, str]) -> str:
    for selectors, body in _RULE.findall(css):
        if {name.strip().lower() for name in selectors.split(",")} & {"body", "html"}:
            value = _BACKGROUND.search(body)
            colour = _first_colour(_resolve(value[1], properties)) if value else ""
            if colour and _lightness(colour) > _MAX_LIGHT:
                return colour
    return ""


def _resolve(value: str, properties: dict[str, str]) -> str:
    """Return the value with its variable replaced, once."""
    name = _VARIABLE.search(value)
    return properties.get(name[1], value).strip() if name else value.strip()


def _list_structured_logos(data: list[str], *, url: str) -> list[str]:
    logos = []
    for text in data[:MAX_LINKS]:
        try:
            document = json.loads(text)
        except ValueError:
            continue
        nodes = document if isinstance(document, list) else document.get("@graph", [document]) if document else []
        for node in nodes if isinstance(nodes, list) else []:
            logo = node.get("logo") if isinstance(node, dict) else None
            address = logo.get("url") if isinstance(logo, dict) else logo
            if isinstance(address, str) and (joined := _join(url, address)):
                logos.append(joined)
    return logos


def _site_name(found: _Found) -> str:
    """Return the name that the site gives itself, else the shortest part of the title, which is often the site."""
    if found.site_name.strip():
        return " ".join(found.site_name.split())[:120]
    parts = [part for part in re.split(r"\s[|–—·:-]\s", " ".join(found.title.split())) if part]
    return min(parts, key=len, default="")[:120]


def _join(base: str, address: str) -> str:
    try:
        joined = urljoin(base, address.strip())
    except ValueError:
        return ""
    return joined if address.strip() and joined.startswith(("http://", "https://")) and len(joined) <= 2000 else ""


def _is_vector(address: str) -> bool:
    return address.partition("?")[0].lower().endswith((".svg", ".svgz", ".ico"))


def _first_colour(text: str) -> str:
    match = _COLOUR.search(text)
    return _to_hex(match) if match else ""


def _to_hex(match: re.Match[str]) -> str:
    if match[1]:
        digits = match[1] if len(match[1]) == 6 else "".join(letter * 2 for letter in match[1])
        return f"#{digits.lower()}"
    parts = [min(int(match[number]), 255) for number in (2, 3, 4)]
    return "#" + "".join(f"{part:02x}" for part in parts)


def _hls(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return colorsys.rgb_to_hls(red, green, blue)


def _lightness(colour: str) -> float:
    return _hls(colour)[1]


def _is_strong(colour: str) -> bool:
    _, light, saturation = _hls(colour)
    return saturation >= _MIN_SATURATION and _MIN_LIGHT <= light <= _MAX_LIGHT


def _hue_distance(one: str, other: str) -> float:
    apart = abs(_hls(one)[0] - _hls(other)[0])
    return min(apart, 1 - apart)
