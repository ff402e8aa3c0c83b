"""Find the town of a postcode for people without a town. The postcode itself is not passed on."""

from functools import lru_cache

from newsletter.common.errors import UnknownPlace
from subscribers.places.disambiguation import describe, describe_closely
from subscribers.places.postcodes import shorten_postcode
from subscribers.places.regions import resolve_country
from subscribers.places.search import find_described, find_place

_MAX_LENGTH = 12
_SUPPORTED_COUNTRIES = ("GB", "US")


def find_town_by_postcode(text: str, *, country: str) -> str:
    """Return the town as text that `locate` understands, or "" for a postcode without a table.

    A ZIP code counts only beside its country, because other countries use five digits too.
    """
    text = text.strip()
    if not text or len(text) > _MAX_LENGTH:
        return ""
    try:
        code = resolve_country(country) if country.strip() else "GB"
    except UnknownPlace:
        return ""
    return _describe_town(shorten_postcode(text, country=code), code) if code in _SUPPORTED_COUNTRIES else ""


@lru_cache(maxsize=8192)
def _describe_town(short: str, country: str) -> str:
    match = find_place(short, country=country) if short else None
    if match is None or match.place is None:
        return ""
    for said in (describe(match.place), describe_closely(match.place)):
        if find_described(said).place == match.place:
            return said
    return ""
