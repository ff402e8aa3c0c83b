"""Find in a web site's style sheets the colours and fonts that a brand can use."""

import colorsys
import re
from collections import Counter
from dataclasses import dataclass

MAX_CHARS = 600_000
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
class SiteColours:
    """Colours as ``#rrggbb``; "" if none was found. The fonts are CSS lists as the site writes them."""

    colour: str = ""
    accent: str = ""
    background: str = ""
    font: str = ""
    heading_font: str = ""


def find_site_colours(css: str, *, theme_colour: str = "") -> SiteColours:
    """Return the site's two strongest colours, a light background, and the fonts of its text and headings."""
    css = css[:MAX_CHARS]
    properties = dict(_PROPERTY.findall(css))
    weights: Counter[str] = Counter(colour for match in _COLOUR.finditer(css) if (colour := _to_hex(match)))
    for name, value in properties.items():
        if _BRAND_NAME.search(name) and (colour := first_colour(value)):
            weights[colour] += _BRAND_WEIGHT
    if theme_colour:
        weights[theme_colour] += _BRAND_WEIGHT
    strong = [colour for colour, _ in weights.most_common() if _is_strong(colour)]
    first = strong[0] if strong else ""
    second = next((colour for colour in strong if _hue_distance(colour, first) > _OTHER_HUE), "")
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
            colour = first_colour(_resolve(value[1], properties)) if value else ""
            if colour and _lightness(colour) > _MAX_LIGHT:
                return colour
    return ""


def _resolve(value: str, properties: dict[str, str]) -> str:
    """Return the value with its variable replaced, once."""
    name = _VARIABLE.search(value)
    return properties.get(name[1], value).strip() if name else value.strip()


def first_colour(text: str) -> str:
    """Return the first colour in a piece of CSS, as ``#rrggbb``, or ""."""
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


def _hue_distance(first: str, second: str) -> float:
    apart = abs(_hls(first)[0] - _hls(second)[0])
    return min(apart, 1 - apart)
