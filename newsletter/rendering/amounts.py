"""Read the amounts and days that staff type into a block, and write amounts as readers of a language do."""

import re
from datetime import date
from decimal import Decimal
from functools import cache

from babel import Locale
from babel.numbers import format_currency, format_percent, get_currency_name, get_territory_currencies

from newsletter.rendering.phrases import get_babel_locale

MAX_AMOUNT, MAX_TYPED = Decimal("999999999999"), 40
_WHOLE = r"\d{1,3}(?:(?P<group>[., '’\u00a0\u202f])\d{3})(?:(?P=group)\d{3})*|\d+"
_AMOUNT = re.compile(rf"(?P<whole>{_WHOLE})(?:(?!(?P=group))[.,](?P<cents>\d{{1,2}}))?")
_RTL_MARK, _LTR_MARK = "\u200f", "\u200e"  # without the second, “US$” is shown as “$US” in Arabic text
_NOT_DIGITS = re.compile(r"\D")


def parse_amount(text: str) -> Decimal | None:
    """Return an amount as staff of any country write it: 12400, 12,400.50 or 12.400,50. Return None for anything else.

    Three digits after a separator are thousands: nobody writes the total of an appeal with three decimals.
    """
    match = _AMOUNT.fullmatch(text.strip()) if len(text) <= MAX_TYPED else None
    if match is None:
        return None
    amount = Decimal(f"{_NOT_DIGITS.sub('', match['whole'])}.{match['cents'] or '0'}")
    return amount if amount <= MAX_AMOUNT else None


def parse_day(text: str) -> date | None:
    """Return a day written like 2026-11-24, or None."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


@cache
def list_currency_codes() -> frozenset[str]:
    """Return the codes of the currencies in use, such as GBP."""
    territories = [name for name in map(str, Locale("en").territories) if len(name) == 2]
    return frozenset(code for territory in territories for code in get_territory_currencies(territory))


def list_currency_choices(language: str) -> list[tuple[str, str]]:
    """Return the code and the name of each currency in use, in the order of their names in the language."""
    locale = get_babel_locale(language)
    choices = [(code, f"{get_currency_name(code, locale=locale)} ({code})") for code in list_currency_codes()]
    return sorted(choices, key=lambda choice: choice[1].casefold())


def format_amount(amount: Decimal, *, currency: str, language: str) -> str:
    """Return “£12,400” or “£12,400.50”: a whole amount has no decimals."""
    locale = Locale.parse(get_babel_locale(language))
    if amount == amount.to_integral_value():
        pattern = locale.currency_formats["standard"].pattern.replace(".00", "")
        written = format_currency(amount, currency, format=pattern, locale=locale, currency_digits=False)
    else:
        written = format_currency(amount, currency, locale=locale)
    return f"{written}{_LTR_MARK}" if written.startswith(_RTL_MARK) else written


def find_share(part: Decimal, total: Decimal) -> int:
    """Return a part in percent of the total, rounded down, so that only the whole is 100."""
    return int(part * 100 / total) if total else 0


def format_share(share: int, *, language: str) -> str:
    """Return “62%” as readers of the language write it."""
    return format_percent(Decimal(share) / 100, locale=get_babel_locale(language))
