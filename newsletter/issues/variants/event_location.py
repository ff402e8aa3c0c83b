"""Where an event is, in words for readers. Pure, over an event of the resolved content."""

from typing import Any

from newsletter.rendering.phrases import find_phrase
from subscribers.places.regions import region_label


def describe_event_location(event: dict[str, Any], *, language: str) -> str:
    """“Online”, or its place as far as it is known: “Montréal, Québec, Canada”."""
    if event["online"]:
        return find_phrase("online", language)
    return remove_repeated_parts(event["place"]) or event["town"] or region_label(event["region"], language=language)


def remove_repeated_parts(place: str) -> str:
    """“Toronto, Toronto, Ontario”, as venues named after their town are listed, with the town said once."""
    return ", ".join(dict.fromkeys(part.strip() for part in place.split(",") if part.strip()))
