"""Compute a brand's light and dark colours for mails: contrast, mixing, the nearest readable colour (WCAG 2.2, ratio 4.5)."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

MIN_CONTRAST_RATIO = 4.5
_VISIBLE_RATIO = 1.8
_SMALL_TEXT_RATIO = 7.0
_BAND_RATIO = 1.1
NEAR_BLACK, NEAR_WHITE = "#1d1c1a", "#fdfbf7"
_HEX = re.compile(r"#?([0-9a-fA-F]{6}|[0-9a-fA-F]{3})\Z")


@dataclass(frozen=True)
class Palette:
    """The colours of a mail, light or dark, all ``#rrggbb``: four backgrounds, and for each the colours on it.

    ``page`` is around the mail (its head and foot), ``paper`` is behind the text, ``tint`` is behind panels, and ``band`` is
    behind an appeal. On each, ``ink`` is for text, ``soft`` for small text and ``line`` for thin lines. ``chip`` is the square
    with an event's date, ``masthead`` the name of the newsletter, ``rule`` the short line of a divider.
    """

    page: str
    page_ink: str
    page_soft: str
    page_line: str
    masthead: str
    paper: str
    ink: str
    soft: str
    line: str
    heading: str
    link: str
    tint: str
    tint_ink: str
    tint_soft: str
    tint_link: str
    tint_line: str
    tint_button: str
    tint_button_ink: str
    chip: str
    chip_ink: str
    rule: str
    band: str
    band_ink: str
    band_button: str
    band_button_ink: str
    button: str
    button_ink: str


def normalise_colour(colour: str, *, fallback: str) -> str:
    """Return ``#rrggbb`` in lower case, or the fallback if the text is not a colour."""
    match = _HEX.match(colour.strip())
    if match is None:
        return fallback
    digits = match[1].lower()
    return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two ``#rrggbb`` colours, 1.0 to 21.0."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def mix_colours(first: str, second: str, *, share: float) -> str:
    """Return the first colour mixed with a share (0.0 to 1.0) of the second."""
    mixed = (round(a + (b - a) * share) for a, b in zip(_rgb(first), _rgb(second), strict=True))
    return "#" + "".join(f"{value:02x}" for value in mixed)


def make_readable(colour: str, *, on: str, ratio: float = MIN_CONTRAST_RATIO) -> str:
    """Return the colour, darkened or lightened just enough to reach the contrast ratio on ``on``."""
    if contrast(colour, on) >= ratio:
        return colour
    end = max((NEAR_BLACK, NEAR_WHITE), key=lambda extreme: contrast(extreme, on))
    for step in range(1, 21):
        moved = mix_colours(colour, end, share=step / 20)
        if contrast(moved, on) >= ratio:
            return moved
    return max(("#000000", "#ffffff"), key=lambda extreme: contrast(extreme, on))


def choose_second_shade(colour: str) -> str:
    """Return a shade that goes with the colour and differs visibly: darker, or lighter if the colour is dark itself.

    A lighter shade stays dark enough for light text, because dark text on a dull shade looks like a disabled button.
    """
    darker = mix_colours(colour, NEAR_BLACK, share=0.55)
    if contrast(darker, colour) >= _VISIBLE_RATIO:
        return darker
    lighter = (mix_colours(colour, NEAR_WHITE, share=share) for share in (0.3, 0.25, 0.2, 0.15))
    return next((shade for shade in lighter if contrast(shade, NEAR_WHITE) >= MIN_CONTRAST_RATIO), colour)


def choose_text_colour(ground: str) -> str:
    """Return near-white or near-black, the one that has more contrast."""
    return make_readable(max((NEAR_WHITE, NEAR_BLACK), key=lambda extreme: contrast(extreme, ground)), on=ground)


@lru_cache(maxsize=64)
def light_palette(*, colour: str, accent: str, background: str) -> Palette:
    """Return the light scheme of a brand. Paper is a near-white with the tone of the page."""
    paper = mix_colours("#ffffff", background, share=0.14) if contrast(background, NEAR_BLACK) >= 9 else "#fffdf9"
    tint = mix_colours(paper, colour, share=0.08)
    chip = mix_colours(paper, colour, share=0.14)
    tint_button = make_readable(colour, on=tint, ratio=3.0)
    page_ink = choose_text_colour(background)
    button = accent if contrast(accent, paper) >= 3 else make_readable(accent, on=paper, ratio=3.0)
    band_ink = choose_text_colour(colour)
    masthead_ratio = _SMALL_TEXT_RATIO if contrast(background, NEAR_WHITE) >= 9 else MIN_CONTRAST_RATIO
    return Palette(
        page=background,
        page_ink=page_ink,
        page_soft=make_readable(mix_colours(page_ink, background, share=0.35), on=background, ratio=_SMALL_TEXT_RATIO),
        page_line=mix_colours(background, page_ink, share=0.16),
        masthead=make_readable(colour, on=background, ratio=masthead_ratio),
        paper=paper,
        ink="#2c2a27",
        soft=make_readable("#655f58", on=paper, ratio=_SMALL_TEXT_RATIO),
        line="#e7dfd3",
        heading=make_readable(colour, on=paper),
        link=make_readable(accent, on=paper),
        tint=tint,
        tint_ink=make_readable(colour, on=tint),
        tint_soft=make_readable("#655f58", on=tint, ratio=_SMALL_TEXT_RATIO),
        tint_link=make_readable(accent, on=tint),
        tint_line=mix_colours(tint, colour, share=0.2),
        tint_button=tint_button,
        tint_button_ink=choose_text_colour(tint_button),
        chip=chip,
        chip_ink=make_readable(colour, on=chip),
        rule=button,
        band=colour,
        band_ink=band_ink,
        band_button=band_ink,
        band_button_ink=make_readable(colour, on=band_ink),
        button=button,
        button_ink=choose_text_colour(button),
    )


@lru_cache(maxsize=64)
def dark_palette(*, colour: str, accent: str) -> Palette:
    """Return the dark scheme of a brand: no pure black or white, and colours lightened until they are readable."""
    page, paper, ink = "#171615", "#211f1d", "#ece6dc"
    tint = mix_colours(paper, mix_colours(colour, ink, share=0.4), share=0.22)
    chip = mix_colours(paper, mix_colours(colour, ink, share=0.4), share=0.36)
    band = mix_colours(colour, paper, share=0.45)
    band = (
        band
        if contrast(ink, band) >= 7
        else make_readable(mix_colours(colour, "#1d1c1a", share=0.6), on=ink, ratio=7.0)
    )
    if contrast(band, paper) < _BAND_RATIO:
        band = mix_colours(band, ink, share=0.12)
    button = make_readable(accent, on=paper)
    return Palette(
        page=page,
        page_ink=ink,
        page_soft="#b5ada2",
        page_line="#3a3632",
        masthead=make_readable(mix_colours(colour, "#fbf5ea", share=0.84), on=page, ratio=9.0),
        paper=paper,
        ink=ink,
        soft="#b5ada2",
        line="#3d3934",
        heading=make_readable(mix_colours(colour, "#fbf5ea", share=0.86), on=paper, ratio=9.0),
        link=make_readable(mix_colours(accent, ink, share=0.25), on=paper, ratio=5.0),
        tint=tint,
        tint_ink=make_readable(mix_colours(colour, "#fbf5ea", share=0.88), on=tint, ratio=7.0),
        tint_soft=make_readable("#b5ada2", on=tint, ratio=_SMALL_TEXT_RATIO),
        tint_link=make_readable(mix_colours(accent, ink, share=0.25), on=tint, ratio=5.0),
        tint_line=mix_colours(tint, ink, share=0.18),
        tint_button=ink,
        tint_button_ink=make_readable(colour, on=ink),
        chip=chip,
        chip_ink=make_readable(mix_colours(colour, ink, share=0.7), on=chip, ratio=_SMALL_TEXT_RATIO),
        rule=button,
        band=band,
        band_ink=ink,
        band_button=ink,
        band_button_ink=make_readable(colour, on=ink),
        button=button,
        button_ink=choose_text_colour(button),
    )


def put_on_paper(palette: Palette) -> Palette:
    """Return the palette of a mail without page and panels: everything is on the paper."""
    return replace(
        palette,
        page=palette.paper,
        page_ink=palette.ink,
        page_soft=palette.soft,
        page_line=palette.line,
        masthead=palette.heading,
        tint=palette.paper,
        tint_ink=palette.heading,
        tint_soft=palette.soft,
        tint_link=palette.link,
        tint_line=palette.line,
    )


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(value / 255) for value in _rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return float(value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4)
