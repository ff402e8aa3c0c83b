"""The location of an event as readers see it. No database."""

from functools import lru_cache

from newsletter.common.errors import UnknownPlace
from newsletter.content.parsing.event_locations import is_online_text
from newsletter.issues.snapshot.records.events import EventRecord
from newsletter.rendering.phrases import find_phrase
from subscribers.places.folding import fold
from subscribers.places.regions import country_label, region_label, resolve_country
from subscribers.places.search import find_place
from subscribers.places.town_names import town_label
from subscribers.places.towns import Town, nearest_place

_IN_TOWN_KM = 5.0


def describe_event_location(event: EventRecord, *, language: str) -> str:
    """Return “Online”, or the location as far as it is known, such as “Montréal, Québec, Canada”."""
    if event.online:
        return find_phrase("online", language)
    town = town_label(event.town, country=event.country, language=language)
    location = remove_repeated_parts(event.translated_location or event.location)
    return add_town(location, event, language=language) or town or region_label(event.region, language=language)


def add_town(location: str, event: EventRecord, *, language: str) -> str:
    """Return “Parish hall, Leeds” if the text names no town and the event is in one. The nearest town is not enough.

    A text such as “Zoom” or a link stays as it is.
    """
    town = town_label(event.town, country=event.country, language=language)
    if not location or not town or is_online_text(location):
        return location
    if _names_town(location, event, label=town) or not _is_in_town(event):
        return location
    return f"{location}, {town}"


def _names_town(text: str, event: EventRecord, *, label: str) -> bool:
    """Return True if the text names the event's town, another place that is known, or only a region or country."""
    folded = fold(text)
    match = find_place(text, near=event.country)
    is_known = match.place is not None or bool(match.region or match.country)
    return is_known or any(fold(name) in folded for name in (label, event.town))


def _is_in_town(event: EventRecord) -> bool:
    if event.latitude is None or event.longitude is None:
        return True
    town = _find_town_at(event.latitude, event.longitude)
    return town is not None and town.name == event.town


@lru_cache(maxsize=1024)
def _find_town_at(latitude: float, longitude: float) -> Town | None:
    return nearest_place(latitude=latitude, longitude=longitude, within_km=_IN_TOWN_KM)


def describe_location_for_readers(event: EventRecord, *, language: str, abroad: bool) -> str:
    """Return the location, with its country if that is not the readers' (``abroad``), and without it if it is."""
    location = describe_event_location(event, language=language)
    if event.online or not event.country or not location:
        return location
    before, _, last = location.rpartition(", ")
    if _is_name_of(last, country=event.country, language=language):
        return location if abroad or not before else before
    return f"{location}, {country_label(event.country, language=language)}" if abroad else location


def _is_name_of(text: str, *, country: str, language: str) -> bool:
    """Return True if a text is the country's name or code. “GA” in the United States is not: it is Georgia there."""
    if fold(text) == fold(country_label(country, language=language)):
        return True
    try:
        return resolve_country(text) == country
    except UnknownPlace:
        return False


def remove_repeated_parts(location: str) -> str:
    """Return “Toronto, Ontario” for “Toronto, Toronto, Ontario”, as venues named after their town are listed."""
    return ", ".join(dict.fromkeys(part.strip() for part in location.split(",") if part.strip()))
