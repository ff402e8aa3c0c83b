"""Add soft hyphens to long words, in languages that build them. Most mail programs break no word, or break it anywhere.

Soft hyphens go only into the HTML, never into plain text, links or descriptions of pictures.
"""

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from functools import lru_cache
from typing import Any

from markupsafe import Markup
from pyphen import Pyphen, language_fallback

from newsletter.rendering.blocks import Picture

MIN_WORD_LENGTH = 18
SOFT_HYPHEN = "\u00ad"
_LANGUAGES = frozenset({"da", "de", "hu", "nb", "nl", "sv"})
_WORD = re.compile(rf"[^\W\d_]{{{MIN_WORD_LENGTH},60}}")
_MIN_PART_LENGTH = 3
_SKIPPED_FIELDS = frozenset({"key", "kind", "day", "month", "look"})


def add_soft_hyphens(value: object, *, language: str) -> Any:
    """Return text, or the data of a block, with soft hyphens in its long words."""
    if language.split("-")[0].lower() not in _LANGUAGES:
        return value
    return _hyphenate_value(value, language.split("-")[0].lower())


def _hyphenate_value(value: object, language: str) -> Any:
    match value:
        case Markup() | Picture():
            return value
        case str():
            return (
                value
                if "://" in value or len(value) < MIN_WORD_LENGTH
                else _WORD.sub(lambda m: _hyphenate_word(m[0], language), value)
            )
        case tuple():
            return tuple(_hyphenate_value(item, language) for item in value)
        case Mapping():
            return {name: _hyphenate_value(item, language) for name, item in value.items()}
        case _ if is_dataclass(value) and not isinstance(value, type):
            named = {f.name: getattr(value, f.name) for f in fields(value) if f.name not in _SKIPPED_FIELDS}
            return replace(value, **{name: _hyphenate_value(item, language) for name, item in named.items()})
        case _:
            return value


@lru_cache(maxsize=2000)
def _hyphenate_word(word: str, language: str) -> str:
    kept, last = [], 0
    for position in _load_patterns(language).positions(word):
        if position - last >= _MIN_PART_LENGTH:
            kept.append(word[last:position])
            last = position
    return SOFT_HYPHEN.join([*kept, word[last:]])


@lru_cache(maxsize=8)
def _load_patterns(language: str) -> Pyphen:
    return Pyphen(lang=language_fallback(language))
