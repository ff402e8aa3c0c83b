"""The languages that a reader can ask for, by their own names."""

from babel import Locale, UnknownLocaleError
from django.utils.translation import gettext

OFFERED = ("en", "es", "fr", "de", "pt", "ro", "hi", "ar")


def language_choices(current: str) -> list[tuple[str, str]]:
    """Language codes with their own names; the person's own language is always among them."""
    codes = list(dict.fromkeys([*OFFERED, *([current] if current else [])]))
    return [("", gettext("No preference")), *((code, _own_name(code)) for code in codes)]


def _own_name(code: str) -> str:
    try:
        name = Locale.parse(code, sep="-").get_display_name()
    except (ValueError, UnknownLocaleError):
        return code
    return (name or code).capitalize()
