"""Names of towns in the reader's language, such as “Londres” for London. The gazetteer's own names are mostly English."""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

_FOLDER = Path(__file__).parent


def town_label(name: str, *, country: str, language: str) -> str:
    """Return a town's name in the language, or the gazetteer's name if there is no other."""
    return _names_in(language.lower().partition("-")[0]).get(country.upper(), {}).get(name, name)


@lru_cache(maxsize=32)
def _names_in(language: str) -> Mapping[str, Mapping[str, str]]:
    file = _FOLDER / f"towns.{language}.json"
    if not (language.isalpha() and file.is_file()):
        return {}
    names: Mapping[str, Mapping[str, str]] = json.loads(file.read_text(encoding="utf-8"))
    return names
