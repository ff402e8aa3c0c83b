"""The system's own words in a mail, per language: a file each in ``languages/``. Headings of the caller win over them."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from newsletter.rendering.errors import RenderingError

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
FALLBACK = "en"
_RTL_LANGUAGES = frozenset({"ar", "arc", "ckb", "dv", "fa", "he", "ks", "ku", "ps", "sd", "syr", "ug", "ur", "yi"})
_FOLDER = Path(__file__).parent / "languages"

WORDS: Mapping[str, Mapping[str, str]] = {
    path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(_FOLDER.glob("*.toml"))
}


def word(key: str, language: str, **values: str) -> str:
    """The words for ``key`` in the language, else in English, with ``values`` filled in as they are.

    Raises RenderingError for a key that no language has, KeyError for a value that the words need and lack.
    """
    for table in (WORDS.get(base_language(language), {}), WORDS[FALLBACK]):
        if key in table:
            return _PLACEHOLDER.sub(lambda match: values[match[1]], table[key])
    raise RenderingError(f"There are no words called “{key}”. Use one of {', '.join(sorted(WORDS[FALLBACK]))}.")


def find_text_direction(language: str) -> str:
    """``rtl`` for languages that are written from right to left, else ``ltr``."""
    parts = language.replace("_", "-").split("-")
    if len(parts) > 1 and parts[1].title() in {"Arab", "Hebr", "Latn"}:
        return "ltr" if parts[1].title() == "Latn" else "rtl"
    return "rtl" if parts[0].lower() in _RTL_LANGUAGES else "ltr"


def base_language(language: str) -> str:
    """``en`` of ``en-GB``."""
    return language.replace("_", "-").split("-", maxsplit=1)[0].lower()
