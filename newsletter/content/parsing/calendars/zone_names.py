"""Find the IANA name of a time zone from Windows names, Outlook's descriptions, and names with a prefix."""

import re
from functools import cache
from zoneinfo import available_timezones

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

_MAX_LENGTH = 200
_DESCRIPTION = re.compile(r"^\(?(?:UTC|GMT)\s*(?:[+-−–]\s*\d{1,2}(?::?\d{2})?)?\)\s*:?\s*(?P<words>.*)$", re.IGNORECASE)
_UNIVERSAL = frozenset({"UTC", "Z", "GMT", "ETC/UTC", "ETC/GMT", "UTC+00:00", "GMT+00:00"})
# Outlook's descriptions that name a zone but no town of the database, without the part in brackets.
_ZONES_BY_DESCRIPTION = {
    "coordinated universal time": "UTC",
    "eastern time": "America/New_York",
    "central time": "America/Chicago",
    "mountain time": "America/Denver",
    "pacific time": "America/Los_Angeles",
    "atlantic time": "America/Halifax",
    "arizona": "America/Phoenix",
    "alaska": "America/Anchorage",
    "hawaii": "Pacific/Honolulu",
    "indiana": "America/Indiana/Indianapolis",
    "saskatchewan": "America/Regina",
    "newfoundland": "America/St_Johns",
    "central america": "America/Guatemala",
    "baja california": "America/Tijuana",
    "brasilia": "America/Sao_Paulo",
    "city of buenos aires": "America/Argentina/Buenos_Aires",
    "georgetown": "America/Guyana",
    "greenwich mean time": "Europe/London",
    "edinburgh": "Europe/London",
    "bern": "Europe/Zurich",
    "west central africa": "Africa/Lagos",
    "harare": "Africa/Harare",
    "pretoria": "Africa/Johannesburg",
    "kyiv": "Europe/Kiev",
    "st. petersburg": "Europe/Moscow",
    "islamabad": "Asia/Karachi",
    "chennai": "Asia/Kolkata",
    "mumbai": "Asia/Kolkata",
    "new delhi": "Asia/Kolkata",
    "sri jayawardenepura": "Asia/Colombo",
    "astana": "Asia/Almaty",
    "hanoi": "Asia/Bangkok",
    "beijing": "Asia/Shanghai",
    "kuala lumpur": "Asia/Kuala_Lumpur",
    "osaka": "Asia/Tokyo",
    "sapporo": "Asia/Tokyo",
    "abu dhabi": "Asia/Dubai",
    "canberra": "Australia/Sydney",
    "wellington": "Pacific/Auckland",
    "solomon is.": "Pacific/Guadalcanal",
    "marshall is.": "Pacific/Majuro",
    "nuku'alofa": "Pacific/Tongatapu",
    "cape verde is.": "Atlantic/Cape_Verde",
}


def find_zone_name(name: str) -> str:
    """Return the IANA name of a zone, or "" if none is known by this name."""
    text = " ".join(name.strip().strip('"').split())
    return _find(text) if 0 < len(text) <= _MAX_LENGTH else ""


@cache
def _names() -> dict[str, str]:
    return {name.casefold(): name for name in available_timezones() if not name.startswith(("posix/", "right/"))}


@cache
def _towns() -> dict[str, str]:
    """Return the zones by the last part of their name, if only one zone ends with it."""
    towns: dict[str, str] = {}
    for name in sorted(_names().values()):
        if "/" in name and not name.startswith(("Etc/", "US/", "Canada/", "Brazil/", "Mexico/", "Chile/", "SystemV/")):
            towns.setdefault(name.rsplit("/", 1)[1].replace("_", " ").casefold(), name)
    return towns


def _find(text: str) -> str:
    if text.upper() in _UNIVERSAL:
        return "UTC"
    zone = WINDOWS_TO_OLSON.get(text) or _known(text) or _ZONES_BY_DESCRIPTION.get(text.casefold(), "")
    if zone:
        return zone
    # “/mozilla.org/20050126_1/Europe/Berlin”, “/freeassociation.sourceforge.net/Europe/London”, “tzone://Microsoft/Utc”
    parts = [part for part in text.split("/") if part]
    for number in (3, 2, 1) if "/" in text else ():
        ending = "/".join(parts[-number:])
        zone = ("UTC" if ending.upper() == "UTC" else "") or (_known(ending) if "/" in ending else "")
        if zone:
            return zone
    described = _DESCRIPTION.match(text)
    return _find_in_description(described["words"]) if described else ""


def _find_in_description(words: str) -> str:
    if "london" in words.casefold():
        return "Europe/London"
    for part in re.split(r"[,:;]", words):
        place = " ".join(re.sub(r"\(.*?\)|\(.*$", "", part).casefold().split())
        zone = WINDOWS_TO_OLSON.get(part.strip()) or _ZONES_BY_DESCRIPTION.get(place) or _towns().get(place, "")
        if zone and _known(zone):
            return zone
    return ""


def _known(name: str) -> str:
    """Return the database's own spelling of a name, or "" if it has no such zone."""
    return _names().get(name.casefold(), "")
