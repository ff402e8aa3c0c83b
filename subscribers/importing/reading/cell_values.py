"""Read the value of one cell. A value that cannot be understood is left out and noted, never guessed."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any
from zoneinfo import available_timezones

from newsletter.common.errors import UnknownPlace
from newsletter.common.languages import find_named_language, normalise_language_code
from newsletter.common.messages import Message, Quantity
from newsletter.common.text import clean_line, unescape_csv_cell
from subscribers.places.disambiguation import describe, describe_closely
from subscribers.places.postcodes import shorten_postcode
from subscribers.places.regions import resolve_country
from subscribers.places.search import MAX_TOWN_LENGTH, explain_long_town, find_described, find_place

_GIVING = {"none", "donor", "monthly"}
_FREQUENCY = {"every", "monthly", "events"}
_MAX_RADIUS_KM = 1_000
_TOPIC_SPLIT = re.compile(r"[;|,]")
_DAY = re.compile(
    r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[ T](\d{1,2}):(\d\d)(?::(\d\d))?(?:\.\d+)?)?"
    r"\s*(?:(Z|UTC|[+-]\d\d(?::?\d\d)?)(?: (?:[A-Z]{1,5}|[+-]\d{2,4}))?)?"  # the zone's name after its offset: listmonk
)
_WRITTEN_DAY = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?:,? (\d{1,2}):(\d\d)(?::(\d\d))?(?: ([AP])M)?)?", re.I)
_MONTHS = 12
_MAX_JSON_CHARACTERS = 20_000
_MAX_POSTCODE_LENGTH = 12
_MAX_NAME_LENGTH = 200
_POSTCODE_COUNTRIES = ("GB", "US")
LINES = {"country": 100, "region": 100, "city": MAX_TOWN_LENGTH, "source": 120}
"""Columns of one line of text, with their maximum lengths. They are fields of a `PersonRow`, too."""


def read_line(text: str, field: str, notes: list[str]) -> str:
    """Return a cell of one of `LINES`. A source that is too long is cut and a town left out, with a note.

    A country or region that is too long is cut: it names none, which `locate` notes.
    """
    line, limit = _clean_common_cell(text), LINES[field]
    if len(line) > limit and field == "city":
        notes.append(explain_long_town(line))
        return ""
    if len(line) > limit and field == "source":
        notes.append(
            Message(
                "The source has %(length)s characters. It was cut to %(limit)s.",
                length=Quantity(len(line)),
                limit=Quantity(limit),
            )
        )
    return line[:limit].rstrip()


@lru_cache(maxsize=1_024)
def _clean_common_cell(text: str) -> str:
    """Return a cell as one line. Many lines have the same one, such as a country."""
    return clean_line(unescape_csv_cell(text))


def read_topics(text: str) -> list[str]:
    """Return the texts of a cell that holds several, separated by semicolons, bars or commas."""
    words = (part.strip().strip('"').strip() for part in _TOPIC_SPLIT.split(unescape_csv_cell(text)))
    return [word for word in words if word]


def read_day(text: str) -> datetime | None:
    """Return the moment of a text such as 2026-03-31 or 2026-03-31 09:00:00, in UTC unless it names a zone, or None.

    31.03.2026 and 31/03/2026 are days too, and 3/31/2026. 03/04/2026 is None: it can be a day of March or of April.
    """
    match = _DAY.fullmatch(text.strip())
    if match is None:
        return _read_written_day(text.strip())
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        zone = match[7]
        return (
            moment
            if zone in (None, "Z", "UTC")
            else datetime.fromisoformat(f"{moment:%Y-%m-%dT%H:%M:%S}{zone}").astimezone(UTC)
        )
    except (ValueError, OverflowError):
        return None


def _read_written_day(text: str) -> datetime | None:
    """Read a day whose year comes last. With dots, the day comes first; otherwise only a number above 12 says which it is."""
    match = _WRITTEN_DAY.fullmatch(text)
    if match is None:
        return None
    first, mark, second, year = int(match[1]), match[2], int(match[3]), int(match[4])
    if mark != "." and first != second and max(first, second) <= _MONTHS:
        return None
    day, month = (second, first) if mark != "." and second > _MONTHS else (first, second)
    hour, minute, seconds = (int(part or 0) for part in match.groups()[4:7])
    if match[8] and not 1 <= hour <= _MONTHS:
        return None
    if match[8]:
        hour = hour % 12 + (12 if match[8].upper() == "P" else 0)
    try:
        return datetime(year, month, day, hour, minute, seconds, tzinfo=UTC)
    except ValueError:
        return None


def is_ambiguous_day(text: str) -> bool:
    """Return True if a text such as 03/04/2026 can mean two days."""
    match = _WRITTEN_DAY.fullmatch(text)
    if match is None or match[2] == ".":
        return False
    first, second = int(match[1]), int(match[3])
    return first != second and 1 <= min(first, second) <= max(first, second) <= _MONTHS


def read_day_or_note(text: str, notes: list[str]) -> datetime | None:
    """Read a day as `read_day` does, and add a note if the text is no day."""
    day = read_day(text)
    if day is None and is_ambiguous_day(text.strip()):
        notes.append(
            Message(
                "“%(text)s” can mean two different days: the month may be its first or its second number. The line is used "
                "without it. Write 2026-03-31.",
                text=text.strip()[:40],
            )
        )
    elif day is None and text.strip():
        notes.append(
            Message("“%(text)s” is not a day such as 2026-03-31. The line is used without it.", text=text.strip()[:40])
        )
    return day


def read_timezone(text: str, notes: list[str]) -> str:
    zone = text.strip()
    if not zone or zone in _zones():
        return zone
    notes.append(
        Message("“%(zone)s” is not a time zone such as Europe/London. The line is used without it.", zone=zone[:40])
    )
    return ""


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def unpack_attributes(text: str, notes: list[str]) -> dict[str, str]:
    """Return the single values of a JSON object. Nested values and bad JSON are noted and left out."""
    try:
        if len(text) > _MAX_JSON_CHARACTERS:
            raise ValueError
        packed = json.loads(text)
        if not isinstance(packed, dict):
            raise ValueError
    except (ValueError, RecursionError):
        notes.append(Message("The extra fields are no JSON object. The line is used without it."))
        return {}
    single: dict[str, str] = {}
    for key, value in packed.items():
        if isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
            single[key] = ", ".join(str(item) for item in value)
        elif isinstance(value, dict | list):
            notes.append(
                Message("The extra field “%(key)s” holds several values. The line is used without it.", key=key[:40])
            )
        elif value is not None:
            single[key] = ("yes" if value else "no") if isinstance(value, bool) else str(value)
    return single


def read_language(text: str, notes: list[str]) -> str:
    if not text.strip():
        return ""
    if found := normalise_language_code(text) or find_named_language(text):
        return found
    notes.append(
        Message(
            "“%(code)s” is not a language code such as en or pt-BR. The line is used without it.",
            code=text.strip()[:40],
        )
    )
    return ""


def read_giving(text: str, notes: list[str]) -> str:
    word = text.strip().lower()
    if not word or word in _GIVING:
        return word
    notes.append(Message("“%(word)s” is not one of none, donor, monthly. The line is used without it.", word=word[:40]))
    return ""


def read_radius(text: str, notes: list[str]) -> int | None:
    """Return whole kilometres."""
    words = text.strip()
    if not words:
        return None
    km = int(words) if words.isdecimal() and len(words) <= len(str(_MAX_RADIUS_KM)) else 0
    if 0 < km <= _MAX_RADIUS_KM:
        return km
    notes.append(
        Message(
            "“%(words)s” is not a distance from 1 to %(farthest_km)s km. The line is used without it.",
            words=words[:40],
            farthest_km=Quantity(_MAX_RADIUS_KM),
        )
    )
    return None


def read_frequency(text: str, notes: list[str]) -> str:
    word = text.strip().lower()
    if not word or word in _FREQUENCY:
        return word
    notes.append(
        Message("“%(word)s” is not one of every, monthly, events. The line is used without it.", word=word[:40])
    )
    return ""


def join_name(name: str, first: str, last: str, *, is_partial: bool, notes: list[str]) -> str:
    """Return the full name. One that is too long is cut, with a note.

    ``is_partial``: the name may be a part. A single word beside only one part is then the other part: “Lovelace” beside “Ada”.
    It is not if it repeats the part, or is the beginning of the first name: “Rob” beside “Robert”.
    """
    folded = name.casefold()
    is_part = (
        is_partial
        and " " not in name
        and bool(first) != bool(last)
        and folded != last.casefold()
        and not first.casefold().startswith(folded)
    )
    parts = [name] if name and not is_part else [first, name, last]
    joined = " ".join(part for part in parts if part)
    if len(joined) > _MAX_NAME_LENGTH:
        notes.append(
            Message(
                "The name has %(length)s characters. It was cut to %(limit)s.",
                length=Quantity(len(joined)),
                limit=Quantity(_MAX_NAME_LENGTH),
            )
        )
    return joined[:_MAX_NAME_LENGTH].strip()


def find_town_by_postcode(text: str, *, country: str) -> str:
    """Return the town as text that `locate` understands, or "" for a postcode without a table.

    Without a country, the code is read as British. A US ZIP code needs the country, because other countries also use
    five digits.
    """
    text = text.strip()
    if not text or len(text) > _MAX_POSTCODE_LENGTH:
        return ""
    try:
        code = resolve_country(country) if country.strip() else "GB"
    except UnknownPlace:
        return ""
    return _describe_town(shorten_postcode(text, country=code), code) if code in _POSTCODE_COUNTRIES else ""


@lru_cache(maxsize=8192)
def _describe_town(short: str, country: str) -> str:
    match = find_place(short, country=country) if short else None
    if match is None or match.place is None:
        return ""
    for text in (describe(match.place), describe_closely(match.place)):
        if find_described(text).place == match.place:
            return text
    return ""


READERS: dict[str, tuple[str, Callable[[str, list[str]], Any]]] = {
    "giving": ("giving", read_giving),
    "timezone": ("timezone", read_timezone),
    "radius_km": ("radius_km", read_radius),
    "mail_frequency": ("frequency", read_frequency),
    "paused_until": ("paused_until", read_day_or_note),
}
"""How each of these columns is read, and into which field of a `PersonRow`."""
