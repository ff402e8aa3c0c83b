"""The location of an event as readers see it. No database."""

from newsletter.common.errors import UnknownPlace
from newsletter.issues.snapshot.records.events import EventRecord
from newsletter.rendering.phrases import find_phrase
from subscribers.places.folding import fold
from subscribers.places.regions import country_label, region_label, resolve_country
from subscribers.places.town_names import town_label


def describe_event_location(event: EventRecord, *, language: str) -> str:
    """Return “Online”, or the location as far as it is known, such as “Montréal, Québec, Canada”."""
    if event.online:
        return find_phrase("online", language)
    town = town_label(event.town, country=event.country, language=language)
    return (
        remove_repeated_parts(event.translated_location or event.location)
        or town
        or region_label(event.region, language=language)
    )


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
