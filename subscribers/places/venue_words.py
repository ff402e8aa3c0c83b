"""Words of venues, streets and districts, which show whether a part of an address can name a town."""

import json
from collections.abc import Iterator
from pathlib import Path

from subscribers.places.folding import fold

_WORDS: dict[str, list[str]] = json.loads(Path(__file__).with_name("venue_words.json").read_text(encoding="utf-8"))
_VENUES, _STREETS = frozenset(_WORDS["venues"]), frozenset(_WORDS["streets"])


def is_venue_only(part: str) -> bool:
    """Return True if all words of a part are words of venues: "The Old Library"."""
    return all(word in _VENUES for word in fold(part).split())


def is_street(part: str) -> bool:
    """Return True if a part of several words ends as a street does: "London Road"."""
    words = fold(part).split()
    return len(words) > 1 and words[-1] in _STREETS


def without_qualifiers(part: str) -> Iterator[tuple[str, bool]]:
    """Yield the names in "Downtown Houston" or "Quebec City", and whether only a large town can be meant."""
    name = fold(part)
    for word in _WORDS["before"]:
        if name.startswith(word):
            yield name.removeprefix(word), False
    for word in _WORDS["after"]:
        if name.endswith(word):
            yield name.removesuffix(word), False
    for word in _WORDS["sides"]:
        if name.startswith(word):
            yield name.removeprefix(word), True


def civic_owner(part: str) -> str:
    """Return what stands before a town hall or the like in "Leeds Town Hall", "" where nothing does."""
    name = fold(part)
    return next((name.removesuffix(word).strip() for word in _WORDS["civic"] if name.endswith(f" {word}")), "")
