"""The languages of pages and mails, by their own names."""

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from unicodedata import normalize

from babel import Locale, localedata
from babel.core import get_global

from newsletter.common.translation_kind import TRANSLATIONS

OFFERED_LANGUAGES = tuple(dict.fromkeys(kind.language for kind in TRANSLATIONS.values()))
"""The languages of the translations that are installed: our own first."""
PAGE_LANGUAGES = tuple(
    code
    for code in OFFERED_LANGUAGES
    if code == "en" or any(kind.language == code and kind.catalogue for kind in TRANSLATIONS.values())
)
"""Those whose translation has the texts of pages. The others have those of newsletters only."""

MAX_CODE_LENGTH = 16
_NO_LANGUAGES = {"und", "mul", "zxx"}
"""Codes of CLDR for an unknown language, for several, and for none."""
_CODE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8}){0,3}", re.I)


def best_language(codes: Iterable[str]) -> str:
    """Return the first of these codes that we have, or ""."""
    return next(filter(None, map(find_offered_language, codes)), "")


def best_page_language(codes: Iterable[str]) -> str:
    """Return the first of these codes in which we have pages, or "": a page is never half in another language."""
    offered = map(find_offered_language, codes)
    return next((code for code in offered if code in PAGE_LANGUAGES), "")


def find_offered_language(code: str) -> str:
    """Return the language that we have for a code: “es” for “es-MX”, "" if there is none."""
    base = code.replace("_", "-").split("-")[0].lower()
    return base if base in OFFERED_LANGUAGES else ""


def find_named_language(name: str) -> str:
    """Return the code of a language that we have, by its name in any of these: “Español” and “Spanish” are es. "" if unknown."""
    return _list_names().get(normalize("NFC", name.strip()).casefold(), "")


@lru_cache(maxsize=1024)
def normalise_language_code(text: str) -> str:
    """Return a language code in its usual form: “pt-BR” for “pt_br”, “es” for “spa”, “ro” for “mo”. "" if it names no language.

    The known languages are those to which Unicode's CLDR gives a name.
    """
    code = text.strip().replace("_", "-")
    if not _CODE.fullmatch(code) or len(code) > MAX_CODE_LENGTH:
        return ""
    base, *rest = code.lower().split("-")
    usual = get_global("language_aliases").get(base, "")
    if len(usual) == len("es"):
        base = usual
    return "-".join([base, *map(_write_subtag, rest)]) if base in _list_known() else ""


def _write_subtag(part: str) -> str:
    """Return a lower-case part of a code as it is usually written: GB for a country, Hant for a script."""
    if len(part) == len("gb"):
        return part.upper()
    return part.title() if len(part) == len("hant") and part.isalpha() else part


@cache
def _list_known() -> frozenset[str]:
    return frozenset({*Locale("en").languages, *get_global("language_aliases")}) - _NO_LANGUAGES


@cache
def _list_names() -> dict[str, str]:
    """Return the codes of the languages that we have, by their names in each of them."""
    locales = [Locale.parse(code, sep="-") for code in OFFERED_LANGUAGES if localedata.exists(code)]
    return {
        str(locale.languages[code]).casefold(): code
        for locale in locales
        for code in OFFERED_LANGUAGES
        if code in locale.languages
    }
