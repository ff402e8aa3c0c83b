"""Write a day of a mail in the reader's language, with its year only if it is not that of the mail."""

import re
from datetime import date

from babel import Locale
from babel.dates import format_date, format_skeleton, parse_pattern

NO_YEAR = 0
"""As the year of a mail: its readers know no year, so each date has its own."""

# The year in a pattern of Unicode's, with what joins it to the month. Other languages keep a year that is not last.
_YEAR_AT_END = re.compile(r",?\s*(?:'de'\s)?y[^EMd]*$")


def format_day(day: date, *, locale: str, year: int | None, with_weekday: bool = False) -> str:
    """Return “24 November”, or “Tuesday 24 November”. A day of another year than ``year`` has its own."""
    if day.year != year:
        return format_date(day, format="full" if with_weekday else "long", locale=locale)
    if not with_weekday:
        return format_skeleton("MMMMd", day, locale=locale)
    pattern = str(Locale.parse(locale).date_formats["full"].pattern)
    return str(parse_pattern(_YEAR_AT_END.sub("", pattern)).apply(day, locale))
