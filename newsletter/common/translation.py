"""Show a message, a percentage or the name of a language in the reader's language."""

from datetime import date, datetime

from babel import Locale, UnknownLocaleError
from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.dateformat import format as format_date
from django.utils.formats import get_format, number_format
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext

from newsletter.common.languages import OFFERED_LANGUAGES
from newsletter.common.messages import Message, Quantity, fill

MIN_PERCENT_SHOWN, MAX_PART_SHOWN = 0.01, 99.9


def translate(text: object) -> str:
    """Return an error, a message or a stored text in the current language. Other text stays as it is."""
    message = getattr(text, "message", text) if isinstance(text, Exception) else text
    if not isinstance(message, Message) or not message.template:
        return str(message)
    return fill(gettext(message.template), {name: _show(value) for name, value in message.values.items()})


def format_percent(percent: float) -> str:
    """Return “12.3 %”, “0.08 %”, “0 %” or “100 %”; “12,3 %” in Spanish.

    Only none is 0 % and only all is 100 %: a little is “< 0.01 %”, and nearly all is “99.9 %”.
    """
    if percent in (0, 100):
        return f"{percent:.0f} %"
    if 0 < percent < MIN_PERCENT_SHOWN:
        return f"< {number_format(MIN_PERCENT_SHOWN, 2)} %"
    if MAX_PART_SHOWN < percent < 100:
        percent = MAX_PART_SHOWN
    places = 2 if percent < 1 else 1
    # Django cuts the further digits off.
    return f"{number_format(round(percent, places), places)} %"


def _show(value: object) -> object:
    match value:
        case Message():
            return translate(value)
        case Quantity():
            return str(intcomma(int(value)))
        case datetime():
            return f"{_show_date(value)}, {value:%H:%M}"
        case date():
            return _show_date(value)
        case _:
            return value


def _show_date(day: date) -> str:
    return str(format_date(day, get_format("DATE_FORMAT")))


def language_choices(current: str) -> list[tuple[str, str]]:
    """Return language codes with their own names, always with the person's current language."""
    codes = list(dict.fromkeys([*OFFERED_LANGUAGES, *([current] if current else [])]))
    return [("", gettext("No preference")), *((code, _own_name(code)) for code in codes)]


def language_label(code: str) -> str:
    """Return a language's name in the reader's language (“English” for “en-GB”), or the code if it is unknown."""
    locale = _find_locale(code)
    return str(locale.get_language_name(_reader_locale()) or code) if locale else code


def exact_language_label(code: str) -> str:
    """Return a language's name with its country (“English (United Kingdom)” for “en-GB”), or the code if it is unknown."""
    locale = _find_locale(code)
    return str(locale.get_display_name(_reader_locale()) or code) if locale else code


def _own_name(code: str) -> str:
    locale = _find_locale(code)
    return str(capfirst(locale.get_display_name() or code)) if locale else code


def _find_locale(code: str) -> Locale | None:
    try:
        return Locale.parse(code, sep="-")
    except (ValueError, UnknownLocaleError):
        return None


def _reader_locale() -> str:
    return (get_language() or "en").replace("-", "_")
