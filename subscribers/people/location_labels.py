"""Places that are stored in English, in the current language: a description, and the note about somebody's or an event's."""

from django.utils.translation import get_language

from newsletter.common.errors import UnknownPlace
from newsletter.common.messages import Message
from newsletter.common.translation import translate
from subscribers.people.locations import locate
from subscribers.places.regions import country_label, region_label, resolve_country, resolve_region
from subscribers.places.town_names import town_label

_TOWNS = frozenset({"place", "also", "places", "shown", "shown_2", "near", "said", "value", "words"})
_AREAS = frozenset({"area", "what", "describe", "first", "others", "country"})
"""The names of the values that are descriptions of towns, with “; ” between them, or of an area. A town can be an area too."""


def label_town(described: str) -> str:
    """Return an English description of a town, such as “York, England, United Kingdom”, in the current language."""
    language, place = get_language() or "en", locate(town=described)
    labels = {place.town: town_label(place.town, country=place.country, language=language)} if place.town else {}
    if place.region:
        labels[region_label(place.region)] = region_label(place.region, language=language)
    if place.country:
        labels[country_label(place.country, language="en")] = country_label(place.country, language=language)
    return ", ".join(labels.get(name, name) for name in described.split(", "))


def translate_note(note: str) -> str:
    """Return a note that says why a location is uncertain in the current language, with the places in it."""
    return translate(_with_labels(note))


def _with_labels(note: str) -> str:
    if not isinstance(note, Message):
        return note
    return Message(note.template, **{name: _label_value(name, value) for name, value in note.values.items()})


def _label_value(name: str, value: object) -> object:
    if isinstance(value, Message):
        return _with_labels(value)
    if name in _TOWNS and isinstance(value, str):
        return "; ".join(label_town(described) for described in value.split("; "))
    return _label_area(value) if name in _AREAS and isinstance(value, str) else value


def _label_area(described: str) -> str:
    """Return an English description of an area, such as “Texas, United States”, in the current language."""
    language, (*regions, country) = get_language() or "en", described.split(", ")
    try:
        labels = [region_label(resolve_region(name, country=country), language=language) for name in regions]
        return ", ".join([*labels, country_label(resolve_country(country), language=language)])
    except UnknownPlace:
        return described
