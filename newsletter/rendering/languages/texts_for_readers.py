"""Texts for readers in each language, beside those of the mail itself: of corrections and of the archive.

One file a language in ``newsletter/rendering/languages/reader_texts/``. A language that is not there gets English.
"""

from collections.abc import Mapping
from pathlib import Path

from newsletter.common.translation_kind import collect_texts, read_texts
from newsletter.rendering import languages
from newsletter.rendering.phrases import FALLBACK, base_language

_FOLDER = Path(languages.__file__).parent / "reader_texts"
READER_TEXTS: Mapping[str, Mapping[str, str]] = collect_texts(
    {FALLBACK: read_texts(_FOLDER / f"{FALLBACK}.toml")}, "reader_texts"
)


def reader_text(key: str, language: str, **values: str) -> str:
    """Return a text with ``values`` filled in. Raises KeyError for an unknown key."""
    text = READER_TEXTS.get(base_language(language), {}).get(key) or READER_TEXTS[FALLBACK][key]
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text
