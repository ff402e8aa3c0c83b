"""Choose the fonts and sizes of a brand in a language, and add soft hyphens to long words.

Soft hyphens go only into the HTML, in languages with long compounds: most mail programs break such words badly or never.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import lru_cache
from typing import Any

from markupsafe import Markup
from pyphen import Pyphen, language_fallback

from newsletter.rendering.blocks import Brand, Picture
from newsletter.rendering.clean_text import SOFT_HYPHEN
from newsletter.rendering.phrases import base_language
from newsletter.rendering.templates import as_markup

SANS = "-apple-system, 'Segoe UI', Roboto, Arial, sans-serif"
_ARABIC = "'Noto Naskh Arabic', 'Geeza Pro', 'Segoe UI', Tahoma"
_DEVANAGARI = "'Noto Sans Devanagari', 'Kohinoor Devanagari', 'Nirmala UI', Mangal"
_HYPHENATED_LANGUAGES = frozenset({"da", "de", "hu", "nb", "nl", "sv"})
_LONG_WORDS = _HYPHENATED_LANGUAGES | {"fi"}  # Pyphen has no patterns for Finnish; mail programs may break its words
_SCRIPTS = {"ar": _ARABIC, "fa": _ARABIC, "ur": _ARABIC, "hi": _DEVANAGARI, "mr": _DEVANAGARI, "ne": _DEVANAGARI}
MIN_WORD_LENGTH = 18
_WORD = re.compile(rf"[^\W\d_]{{{MIN_WORD_LENGTH},60}}")
_LINK = re.compile(r"://|^\s*mailto:", re.IGNORECASE)
_MIN_PART_LENGTH = 3
_SKIPPED_FIELDS = frozenset({"key", "kind", "day", "month", "look"})


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
    first, _, fallbacks = family.partition(",")
    return as_markup(",".join(part for part in (first, f" {script}" if script else "", fallbacks) if part))


def add_soft_hyphens(value: object, *, language: str) -> Any:
    """Return text, or the data of a block, with soft hyphens in its long words."""
    base = base_language(language)
    return _hyphenate_value(value, base) if base in _HYPHENATED_LANGUAGES else value


def _hyphenate_value(value: object, language: str) -> object:
    match value:
        case Markup() | Picture():
            return value
        case str():
            return (
                value
                if _LINK.search(value) or len(value) < MIN_WORD_LENGTH
                else _WORD.sub(lambda m: _hyphenate_word(m[0], language), value)
            )
        case tuple():
            return tuple(_hyphenate_value(item, language) for item in value)
        case Mapping():
            return {name: _hyphenate_value(item, language) for name, item in value.items()}
        case _ if is_dataclass(value) and not isinstance(value, type):
            values = {f.name: getattr(value, f.name) for f in fields(value) if f.name not in _SKIPPED_FIELDS}
            return replace(value, **{name: _hyphenate_value(item, language) for name, item in values.items()})
        case _:
            return value


@lru_cache(maxsize=2000)
def _hyphenate_word(word: str, language: str) -> str:
    syllables, last = [], 0
    for position in _load_patterns(language).positions(word):
        if position - last >= _MIN_PART_LENGTH:
            syllables.append(word[last:position])
            last = position
    return SOFT_HYPHEN.join([*syllables, word[last:]])


@lru_cache(maxsize=8)
def _load_patterns(language: str) -> Pyphen:
    return Pyphen(lang=language_fallback(language))
