"""Towns and countries that are stored in English, in the current language: a description, and the note of an import."""

from django.utils.translation import get_language

from newsletter.common.errors import UnknownPlace
from newsletter.common.messages import Message
from newsletter.common.translation import translate
from subscribers.people.locations import locate
from subscribers.places.regions import country_label, region_label, resolve_country
from subscribers.places.town_names import town_label


def label_town(described: str) -> str:
    """Return an English description of a town, such as “York, England, United Kingdom”, in the current language."""
    language, place = get_language() or "en", locate(town=described)
    labels = {place.town: town_label(place.town, country=place.country, language=language)}
    if place.region:
        labels[region_label(place.region)] = region_label(place.region, language=language)
    if place.country:
        labels[country_label(place.country, language="en")] = country_label(place.country, language=language)
    return ", ".join(labels.get(name, name) for name in described.split(", "))


def translate_note(note: str) -> str:
    """Return the note about the location of an imported person in the current language, with the places in it."""
    return translate(_with_labels(note))


def _with_labels(note: str) -> str:
    if not isinstance(note, Message):
        return note
    return Message(note.template, **{name: _label_value(name, value) for name, value in note.values.items()})


def _label_value(name: str, value: object) -> object:
    if isinstance(value, Message):
        return _with_labels(value)
    if name == "place" and isinstance(value, str):
        return label_town(value)
    return _label_country(value) if name == "country" and isinstance(value, str) else value


def _label_country(name: str) -> str:
    try:
        return country_label(resolve_country(name), language=get_language() or "en")
    except UnknownPlace:
        return name
