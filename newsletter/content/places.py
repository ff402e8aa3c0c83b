"""Where an event is: its own coordinates, else its words, else its source's region, else online. It guesses nothing."""

import re
from dataclasses import dataclass

from newsletter.content.entries import EventEntry
from subscribers.errors import UnknownPlace
from subscribers.places.distance import distance_km
from subscribers.places.regions import country_of, region_name, resolve_country, resolve_region
from subscribers.places.search import PlaceMatch, find_place
from subscribers.places.towns import Place, nearest_place

_ONLINE = re.compile(
    r"\b(?:online|on-line|on line|virtual(?:ly)?|webinar|zoom|microsoft teams|ms teams|google meet|livestream(?:ed)?"
    r"|live stream(?:ed)?|via (?:teams|skype|youtube|facebook)|remote(?:ly)?|en ligne|en l[ií]nea)\b|https?://|www\.",
    re.IGNORECASE,
)
_LINK = re.compile(r"(?:https?://|www\.)\S*", re.IGNORECASE)
_NEAR_KM = 100.0
_WITHIN_TOWN_KM = 30.0


@dataclass(frozen=True)
class Located:
    """Where an event is; ``zone`` is the IANA zone of its town.

    Without coordinates it can still be near readers of its ``region`` or ``country``.

    ``note`` says to staff what was not certain, and is "" when all was.
    """

    latitude: float | None = None
    longitude: float | None = None
    country: str = ""
    region: str = ""
    town: str = ""
    zone: str = ""
    online: bool = False
    note: str = ""


def is_online_text(text: str) -> bool:
    """Whether the words of a place say that there is none: "Zoom", "online", a link."""
    return _ONLINE.search(text) is not None


def locate_event(entry: EventEntry, *, default_region: str, default_country: str = "") -> Located:
    """The place of an event. ``default_region`` and ``default_country`` are the source's, codes or names, or ""."""
    region, country = _defaults(default_region, default_country)
    words = entry.place.strip()
    if entry.latitude is not None and entry.longitude is not None:
        found = _from_point(entry.latitude, entry.longitude, words=words, online=entry.online)
        if found is not None:
            return found
    online = entry.online or is_online_text(words)
    if online and (not words or is_online_text(words)):
        without = _ONLINE.sub(" ", _LINK.sub(" ", words)).strip(" ,;-–&+/")
        match = _from_words(without, region, country) if without else None
        if match is None or match.place is None:
            return Located(online=True)
        return _at(match.place, online=True)
    if not words:
        return _fallback(region, country, online=online, note="The event names no place.")
    match = _from_words(words, region, country)
    if match.place is not None:
        return _at(match.place, online=online)
    if match.ambiguous:
        note = f"{match.reason.rstrip('.')}. It has no exact place until then."
        certain = Located(country=match.country, region=match.region, online=online, note=note)
        return certain if certain.region else _fallback(region, country or match.country, online=online, note=note)
    if match.region or match.country:
        return Located(country=match.country, region=match.region, online=online, note=match.reason)
    return _fallback(region, country, online=online, note=match.reason)


def _defaults(region: str, country: str) -> tuple[str, str]:
    """The codes of the source's region and country; what is not known counts as not given."""
    try:
        code = resolve_region(region, country=country) if region.strip() else ""
    except UnknownPlace:
        code = ""
    try:
        where = country_of(code) or (resolve_country(country) if country.strip() else "")
    except UnknownPlace:
        where = ""
    return code, where


def _from_point(latitude: float, longitude: float, *, words: str, online: bool) -> Located | None:
    """The point, in the town that the words name where it lies there, else in the one that people would name for it.

    None for a point that is none (0, 0 is software for nowhere).
    """
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180) or (latitude == 0 and longitude == 0):
        return None
    town = nearest_place(latitude=latitude, longitude=longitude, within_km=_NEAR_KM)
    if town is None:
        return Located(
            latitude=latitude, longitude=longitude, online=online, note="No town is near the event's coordinates."
        )
    town = _named_at(words, latitude, longitude, town) or town
    return Located(latitude, longitude, town.country, town.region, town.name, town.zone, online)


def _named_at(words: str, latitude: float, longitude: float, near: Place) -> Place | None:
    """The town that the words name, when the point can lie in it; of towns of that name, the one that is there."""
    if not words or is_online_text(words):
        return None
    for match in (_from_words(words, near.region, near.country), find_place(words)):
        away = [(distance_km(latitude, longitude, one.latitude, one.longitude), one) for one in match.candidates]
        closest = min(away, key=lambda pair: pair[0], default=None)
        if closest is not None and closest[0] <= _WITHIN_TOWN_KM:
            return closest[1]
    return None


def _from_words(words: str, region: str, country: str) -> PlaceMatch:
    """The words read as near the source as they make sense: in its region, in its country, then in the world."""
    world = find_place(words)
    if not region and not country:
        return world
    for here in ({"region": region}, {"country": country}):
        if not all(here.values()):
            continue
        near = find_place(words, **here)
        if near.place is not None or near.ambiguous:
            return near
    return world


def _at(place: Place, *, online: bool) -> Located:
    return Located(place.latitude, place.longitude, place.country, place.region, place.name, place.zone, online)


def _fallback(region: str, country: str, *, online: bool, note: str) -> Located:
    """The source's own region, with a note; nothing but the note when it has none."""
    if region:
        return Located(
            country=country_of(region),
            region=region,
            online=online,
            note=f"{note} The region of its source is used: {region_name(region)}.",
        )
    if country:
        return Located(country=country, online=online, note=note)
    return Located(online=online, note=note if not online else "")
