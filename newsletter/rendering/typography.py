"""Choose the fonts and sizes of a brand in a language, with the fonts that other scripts need."""

from dataclasses import dataclass

from markupsafe import Markup

from newsletter.rendering.blocks import Brand
from newsletter.rendering.phrases import base_language
from newsletter.rendering.templates import as_markup

SANS = "'Helvetica Neue', Helvetica, Arial, sans-serif"
_ARABIC = "'Noto Naskh Arabic', 'Geeza Pro', 'Segoe UI', Tahoma"
_DEVANAGARI = "'Noto Sans Devanagari', 'Kohinoor Devanagari', 'Nirmala UI', Mangal"
_LONG_WORDS = frozenset({"da", "de", "fi", "hu", "nb", "nl", "sv"})
_SCRIPTS = {"ar": _ARABIC, "fa": _ARABIC, "ur": _ARABIC, "hi": _DEVANAGARI, "mr": _DEVANAGARI, "ne": _DEVANAGARI}


@dataclass(frozen=True)
class Typography:
    """Font families and weights in CSS; ``size`` in pixels. Scripts without italics get none."""

    text: Markup
    heading: Markup
    small: Markup
    weight: str
    size: int
    leading: str
    spacing: str
    italic: str
    hyphens: bool


def choose_typography(brand: Brand, *, language: str) -> Typography:
    """Return a brand's typography in a language. The brand's fonts are cleaned: of CSS they have only commas and quotes."""
    script = _SCRIPTS.get(base_language(language), "")
    heading = brand.heading_font or brand.font
    serif = is_serif(heading)
    return Typography(
        text=_with_script(brand.font, script),
        heading=_with_script(heading, script),
        small=_with_script(SANS if is_serif(brand.font) else brand.font, script),
        weight="normal" if serif and not script else "bold",
        size=18 if script else 17,
        leading="1.75" if script else "1.6",
        spacing="0" if script else "-0.5px",
        italic="normal" if script else "italic",
        hyphens=base_language(language) in _LONG_WORDS,
    )


def is_serif(family: str) -> bool:
    """Return True if a list of families ends in the generic serif."""
    return family.rsplit(",", 1)[-1].strip().lower() == "serif"


def _with_script(family: str, script: str) -> Markup:
    """Return the families with the script's own after the brand's first, which serves for Latin letters."""
    first, _, rest = family.partition(",")
    return as_markup(",".join(part for part in (first, f" {script}" if script else "", rest) if part))
