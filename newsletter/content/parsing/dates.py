"""Read the dates of sources. Standard forms are exact; others are read by the source's language and get a note."""

import re
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import dateparser
from dateparser.timezone_parser import pop_tz_offset_from_string

from newsletter.common.iso_time import parse_iso_time
from newsletter.common.messages import Message
from newsletter.content.parsing.text import cut_at_word, tidy

_MAX_LENGTH = 80
_LANGUAGES = ["en", "de", "fr", "es", "it", "pt", "nl"]
_MONTH_FIRST = ("en-us", "en-ph", "en-lr")
_HAS_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)|(?<!\d)\d{1,2}[./-]\d{1,2}[./-]\d\d(?!\d)")
_HAS_DAY = re.compile(r"\d{1,2}\D")
_DATE_LABEL = re.compile(
    r"^(?:published|posted|updated|date|veröffentlicht|erstellt|publié|mis à jour|publicado|fecha)"
    r"(?:\s+(?:on|am|le|el|at|um))?\s*:?\s+",
    re.IGNORECASE,
)
_GERMAN_TIME = re.compile(r"(\d{1,2}:\d\d)\s*(?:Uhr|h)\b|\s*-\s*(?=\d{1,2}:\d\d)")
_MAX_FUTURE = timedelta(hours=24)
_WEEKDAYS = (
    ("mon", "mo", "lun"), ("tue", "di", "mar"), ("wed", "mi", "mer", "mié"), ("thu", "do", "jeu", "jue"),
    ("fri", "fr", "ven", "vie"), ("sat", "sa", "sam", "sáb"), ("sun", "so", "dim", "dom"),
)  # fmt: skip


@dataclass(frozen=True)
class ParsedDate:
    """A date as it was read. ``note`` tells staff how, if the form is ambiguous; otherwise it is ""."""

    moment: datetime | None = None
    note: str = ""


def parse_date_text(text: str, *, language: str, now: datetime) -> ParsedDate:
    """Read a date of any form. ``language`` decides the order of numbers ("en-US": month first, others: day first).

    If numbers can be read in two ways, the weekday decides if there is one. Otherwise a past date wins over a future one.
    """
    cleaned = tidy(text)
    if not cleaned:
        return ParsedDate()
    moment = read_standard_date(cleaned) or _read_mail_date(cleaned)
    if moment is not None:
        return ParsedDate(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    moment = _read_written(cleaned, language=language, now=now) if len(cleaned) <= _MAX_LENGTH else None
    excerpt = cut_at_word(cleaned, 60)
    if moment is None:
        return ParsedDate(
            note=Message(
                "Its date “%(shown)s” cannot be read, so it counts as new from when it was first seen.", shown=excerpt
            )
        )
    return ParsedDate(
        moment,
        Message(
            "Its date “%(shown)s” was read as %(moment)s. Correct the date in the story if that is wrong.",
            shown=excerpt,
            moment=moment.date(),
        ),
    )


def read_standard_date(text: str) -> datetime | None:
    """Read ISO 8601, or the form of mails and RSS. Return None for any other, and for a zone that is not known."""
    parsed = parse_iso_time(text)
    if parsed is not None:
        return parsed
    moment = _read_mail_date(text)
    if moment is None or moment.tzinfo is not None:
        return moment
    _, zone = pop_tz_offset_from_string(text)  # CET and BST are not in the standard of mails, and feeds have them
    return moment.replace(tzinfo=zone) if zone is not None else None


def _read_mail_date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _read_written(text: str, *, language: str, now: datetime) -> datetime | None:
    """Read a date in words or numbers. It needs a day, a month and a year: “yesterday” and “March” are not dates."""
    stripped = _GERMAN_TIME.sub(lambda match: f"{match[1]} " if match[1] else " ", _DATE_LABEL.sub("", text)).strip()
    if not _HAS_YEAR.search(stripped) or not _HAS_DAY.search(stripped):
        return None
    tag = language.strip().replace("_", "-").lower()
    orders = ("MDY", "DMY") if tag.startswith(_MONTH_FIRST) else ("DMY", "MDY")
    parsed = [moment for order in orders if (moment := _parse(stripped, tag.split("-")[0], order)) is not None]
    candidates = [moment for moment in parsed if _is_named_weekday(stripped, moment)] or parsed
    return next((moment for moment in candidates if moment <= now + _MAX_FUTURE), candidates[0] if candidates else None)


def _is_named_weekday(text: str, moment: datetime) -> bool:
    """Return True if the text starts with the weekday of a moment."""
    first = re.match(r"[^\W\d_]+", text)
    word = first[0].lower() if first else ""
    return any(word == name or (len(name) == 3 and word.startswith(name)) for name in _WEEKDAYS[moment.weekday()])


def _parse(text: str, language: str, order: str) -> datetime | None:
    for languages in ([language], _LANGUAGES):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                moment: datetime | None = dateparser.parse(
                    text,
                    languages=languages,
                    settings={
                        "DATE_ORDER": order,
                        "PREFER_LOCALE_DATE_ORDER": False,
                        "REQUIRE_PARTS": ["day", "month", "year"],
                        "PARSERS": ["absolute-time"],
                        "TIMEZONE": "UTC",
                        "RETURN_AS_TIMEZONE_AWARE": True,
                    },
                )
        except (ValueError, OverflowError, TypeError, AttributeError):
            continue
        if moment is not None:
            return moment
    return None
