"""The languages that pages and mails to people are written in, by their own names."""

from collections.abc import Iterable

from babel import Locale, UnknownLocaleError
from django.utils.translation import get_language, gettext

OFFERED_LANGUAGES = ("en", "es", "fr", "de", "pt", "ro", "hi", "ar")


def best_language(wanted: Iterable[str]) -> str:
    """The first of these codes that we have; empty when there is none."""
    bases = (code.replace("_", "-").split("-")[0].lower() for code in wanted)
    return next((base for base in bases if base in OFFERED_LANGUAGES), "")


def language_choices(current: str) -> list[tuple[str, str]]:
    """Language codes with their own names; the person's own language is always among them."""
    codes = list(dict.fromkeys([*OFFERED_LANGUAGES, *([current] if current else [])]))
    return [("", gettext("No preference")), *((code, _own_name(code)) for code in codes)]


def language_label(code: str) -> str:
    """A language's name for whoever reads the page: “English” for “en-GB”; the code where nobody knows it."""
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
