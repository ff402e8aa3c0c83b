"""The phrases that mails always use, in each language, and the days that they name.

One file a language in ``languages/``. Texts for readers, of corrections and of the archive, are in ``languages/reader_texts``.
"""

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from babel import Locale
from babel.dates import format_date, format_skeleton, parse_pattern

from newsletter.common.translation_kind import collect_texts, read_texts
from newsletter.rendering.errors import RenderingError

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
FALLBACK = "en"
_ONE_NAME = "_one_name"
_RTL_LANGUAGES = frozenset({"ar", "arc", "ckb", "dv", "fa", "he", "ks", "ku", "ps", "sd", "syr", "ug", "ur", "yi"})
_FOLDER = Path(__file__).parent / "languages"
NO_YEAR = 0
"""The year of a mail that shows no year, so that each date in it has its own."""

# The year in a pattern of Unicode's, with what joins it to the month. Other languages keep a year that is not last.
_YEAR_AT_END = re.compile(r",?\s*(?:'de'\s)?y[^EMd]*$")

PHRASES: Mapping[str, Mapping[str, str]] = collect_texts(
    {FALLBACK: read_texts(_FOLDER / f"{FALLBACK}.toml")}, "phrases"
)
READER_TEXTS: Mapping[str, Mapping[str, str]] = collect_texts(
    {FALLBACK: read_texts(_FOLDER / "reader_texts" / f"{FALLBACK}.toml")}, "reader_texts"
)


def find_phrase(key: str, language: str, **values: str) -> str:
    """Return a phrase in the language, else in English, with ``values`` filled in without escaping.

    Raise RenderingError for an unknown key, KeyError if a value that the phrase needs is missing.
    """
    for table in (PHRASES.get(base_language(language), {}), PHRASES[FALLBACK]):
        if key in table:
            return _PLACEHOLDER.sub(lambda match: values[match[1]], table[key])
    raise RenderingError(
        "There is no phrase “%(key)s”. Use one of %(known)s.", key=key, known=", ".join(sorted(PHRASES[FALLBACK]))
    )


def find_phrase_of_list(key: str, language: str, *, list_name: str, organisation: str) -> str:
    """Return a phrase that names a list and its organisation; if both have one name, the phrase that names it once.

    A translation by an extension may lack that phrase: then its readers get the longer one in their own language.
    """
    short = f"{key}{_ONE_NAME}"
    table = PHRASES.get(base_language(language), PHRASES[FALLBACK])
    if short in table and _fold(list_name) == _fold(organisation):
        key = short
    return find_phrase(key, language, list=list_name, organisation=organisation)


def _fold(name: str) -> str:
    return " ".join(name.split()).casefold()


def reader_text(key: str, language: str, **values: str) -> str:
    """Return a text for readers, else in English, with ``values`` filled in. Raise KeyError for an unknown key."""
    text = READER_TEXTS.get(base_language(language), {}).get(key) or READER_TEXTS[FALLBACK][key]
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text


def find_text_direction(language: str) -> str:
    """Return ``rtl`` for languages that are written from right to left, else ``ltr``."""
    parts = language.replace("_", "-").split("-")
    if len(parts) > 1 and parts[1].title() in {"Arab", "Hebr", "Latn"}:
        return "ltr" if parts[1].title() == "Latn" else "rtl"
    return "rtl" if parts[0].lower() in _RTL_LANGUAGES else "ltr"


def base_language(language: str) -> str:
    """Return ``en`` for ``en-GB``."""
    return language.replace("_", "-").split("-", maxsplit=1)[0].lower()


def get_babel_locale(language: str) -> str:
    """Return Babel's name of the language. English without a country is British."""
    return {"en": "en_GB"}.get(language, language.replace("-", "_"))


def format_day(day: date, *, locale: str, year: int | None, with_weekday: bool = False) -> str:
    """Return “24 November”, or “Tuesday 24 November”. A day of another year than ``year`` has its own."""
    if day.year != year:
        return format_date(day, format="full" if with_weekday else "long", locale=locale)
    if not with_weekday:
        return format_skeleton("MMMMd", day, locale=locale)
    pattern = str(Locale.parse(locale).date_formats["full"].pattern)
    return str(parse_pattern(_YEAR_AT_END.sub("", pattern)).apply(day, locale))
