"""The languages of pages and mails, by their own names."""

from collections.abc import Iterable
from functools import cache

from babel import Locale, UnknownLocaleError
from django.utils.translation import get_language, gettext

from newsletter.common.translation_kind import TRANSLATIONS

OFFERED_LANGUAGES = tuple(dict.fromkeys(kind.language for kind in TRANSLATIONS.values()))
"""The languages of the translations that are installed: our own first."""
PAGE_LANGUAGES = tuple(
    code
    for code in OFFERED_LANGUAGES
    if code == "en" or any(kind.language == code and kind.catalogue for kind in TRANSLATIONS.values())
)
"""Those whose translation has the texts of pages. The others have those of newsletters only."""


def best_language(wanted: Iterable[str]) -> str:
    """Return the first of these codes that we have, or ""."""
    return next(filter(None, map(find_offered_language, wanted)), "")


def best_page_language(wanted: Iterable[str]) -> str:
    """Return the first of these codes in which we have pages, or "": a page is never half in another language."""
    offered = map(find_offered_language, wanted)
    return next((code for code in offered if code in PAGE_LANGUAGES), "")


def find_offered_language(code: str) -> str:
    """Return the language that we have for a code: “es” for “es-MX”, "" if there is none."""
    base = code.replace("_", "-").split("-")[0].lower()
    return base if base in OFFERED_LANGUAGES else ""


def find_named_language(name: str) -> str:
    """Return the code of a language that we have, by its name in any of these: “Español” and “Spanish” are es. "" if unknown."""
    return _list_names().get(name.strip().casefold(), "")


@cache
def _list_names() -> dict[str, str]:
    """Return the codes of the languages that we have, by their names in each of them."""
    inside = [Locale.parse(code, sep="-").languages for code in OFFERED_LANGUAGES]
    return {str(names[code]).casefold(): code for names in inside for code in OFFERED_LANGUAGES if code in names}


def language_choices(current: str) -> list[tuple[str, str]]:
    """Return language codes with their own names, always with the person's current language."""
    codes = list(dict.fromkeys([*OFFERED_LANGUAGES, *([current] if current else [])]))
    return [("", gettext("No preference")), *((code, _own_name(code)) for code in codes)]


def language_label(code: str) -> str:
    """Return a language's name in the reader's language (“English” for “en-GB”), or the code if it is unknown."""
    try:
        name = Locale.parse(code, sep="-").get_language_name((get_language() or "en").replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        return code
    return str(name or code)


def _own_name(code: str) -> str:
    try:
        name = Locale.parse(code, sep="-").get_display_name()
    except (ValueError, UnknownLocaleError):
        return code
    return (name or code).capitalize()
