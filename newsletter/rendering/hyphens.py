"""Places where long words may be parted, for languages that build them: most mail programs part none, or part them anywhere.

Soft hyphens go into the HTML alone, never into the plain text, links or descriptions of pictures. Pure.
"""

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from functools import lru_cache
from typing import Any

from markupsafe import Markup
from pyphen import Pyphen, language_fallback

from newsletter.rendering.blocks import Picture

LONG = 18
SOFT = "\u00ad"
_LANGUAGES = frozenset({"da", "de", "hu", "nb", "nl", "sv"})
_WORD = re.compile(rf"[^\W\d_]{{{LONG},60}}")
_SHORTEST_PIECE = 3
_LEFT = frozenset({"key", "kind", "day", "month", "look"})


def soften(value: Any, *, language: str) -> Any:
    """Text, or the data of a block with its texts, with soft hyphens in its long words."""
    if language.split("-")[0].lower() not in _LANGUAGES:
        return value
    return _soften(value, language.split("-")[0].lower())


def _soften(value: Any, language: str) -> Any:
    match value:
        case Markup() | Picture():
            return value
        case str():
            return value if "://" in value or len(value) < LONG else _WORD.sub(lambda m: _part(m[0], language), value)
        case tuple():
            return tuple(_soften(item, language) for item in value)
        case Mapping():
            return {name: _soften(item, language) for name, item in value.items()}
        case _ if is_dataclass(value) and not isinstance(value, type):
            named = {f.name: getattr(value, f.name) for f in fields(value) if f.name not in _LEFT}
            return replace(value, **{name: _soften(item, language) for name, item in named.items()})
        case _:
            return value


@lru_cache(maxsize=2000)
def _part(word: str, language: str) -> str:
    kept, last = [], 0
    for place in _patterns(language).positions(word):
        if place - last >= _SHORTEST_PIECE:
            kept.append(word[last:place])
            last = place
    return SOFT.join([*kept, word[last:]])


@lru_cache(maxsize=8)
def _patterns(language: str) -> Pyphen:
    return Pyphen(lang=language_fallback(language))
