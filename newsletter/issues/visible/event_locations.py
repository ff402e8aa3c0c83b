"""The location of an event as readers see it. No database."""

from newsletter.issues.snapshot.records.events import EventRecord
from newsletter.rendering.phrases import find_phrase
from subscribers.places.regions import region_label
from subscribers.places.town_names import town_label


def describe_event_location(event: EventRecord, *, language: str) -> str:
    """Return “Online”, or the location as far as it is known, such as “Montréal, Québec, Canada”."""
    if event.online:
        return find_phrase("online", language)
    town = town_label(event.town, country=event.country, language=language)
    return remove_repeated_parts(event.location) or town or region_label(event.region, language=language)


def remove_repeated_parts(location: str) -> str:
    """Return “Toronto, Ontario” for “Toronto, Toronto, Ontario”, as venues named after their town are listed."""
    return ", ".join(dict.fromkeys(part.strip() for part in location.split(",") if part.strip()))
