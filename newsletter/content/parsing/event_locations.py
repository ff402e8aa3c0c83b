"""Locate an event by its coordinates, else by its text, else by its source's region. It guesses nothing."""

import re
from dataclasses import dataclass, replace

from newsletter.common.errors import UnknownPlace
from newsletter.common.messages import Message
from newsletter.content.parsing.entries import EventEntry
from subscribers.places.disambiguation import describe
from subscribers.places.postcode_search import find_named_near
from subscribers.places.regions import country_name, country_of, region_name, resolve_country, resolve_region
from subscribers.places.search import find_place
from subscribers.places.towns import PlaceMatch, Town, distance_km, is_area_near, nearest_place

_ONLINE = re.compile(
    r"\b(?:online|on-line|on line|virtual(?:ly)?|webinar|zoom|microsoft teams|ms teams|google meet|livestream(?:ed)?"
    r"|live stream(?:ed)?|via (?:teams|skype|youtube|facebook)|remote(?:ly)?|en ligne|en l[ií]nea)\b|https?://|www\.",
    re.IGNORECASE,
)
_LINK = re.compile(r"(?:https?://|www\.)\S*", re.IGNORECASE)
_MAX_WORDS = 2_000
_NEAR_KM = 100.0
_WITHIN_TOWN_KM = 30.0
_APART_KM = 45.0


@dataclass(frozen=True)
class EventLocation:
    """The location of an event; ``zone`` is the IANA zone of its town.

    Without coordinates it can still be near people in its ``region`` or ``country``.

    ``note`` says for staff what is uncertain, or is "". ``candidates`` are the towns that they can then choose from,
    best first.
    """

    latitude: float | None = None
    longitude: float | None = None
    country: str = ""
    region: str = ""
    town: str = ""
    zone: str = ""
    online: bool = False
    note: str = ""
    candidates: tuple[Town, ...] = ()


def is_online_text(text: str) -> bool:
    """Return True if the text of a location says that the event is online, such as "Zoom", "online" or a link."""
    return _ONLINE.search(text) is not None


def locate_event(
    entry: EventEntry, *, default_region: str, default_country: str = "", home_country: str = ""
) -> EventLocation:
    """Return the location of an event, by its coordinates, else by its text.

    ``default_region`` and ``default_country`` are the source's, as codes or names, or "". They decide between equal
    matches, and are used if the text names nothing that is known. Without them ``home_country``, the code of the
    organisation's country or "", decides between equal matches.
    """
    region, country = _defaults(default_region, default_country)
    words = entry.place[:_MAX_WORDS].strip()
    online = entry.online or is_online_text(words)
    if is_online_text(words):
        words = _ONLINE.sub(" ", _LINK.sub(" ", words)).strip(" ,;-–&+/:")
    if entry.latitude is not None and entry.longitude is not None:
        located = _from_point(entry.latitude, entry.longitude, words=words, online=entry.online)
        if located is not None:
            return located
    if not words:
        return (
            EventLocation(online=True)
            if online
            else _fallback(region, country, note=Message("The event names no place."))
        )
    match = find_place(words, near=region or country or home_country)
    if match.place is not None:
        return _at(match, match.place, online=online)
    if match.ambiguous:
        note = Message("%(reason)s The event has no exact place until you choose one.", reason=match.reason)
        return EventLocation(
            country=match.country, region=match.region, online=online, note=note, candidates=match.candidates
        )
    if online:
        return EventLocation(online=True)
    if match.region or match.country:
        return EventLocation(country=match.country, region=match.region, note=match.reason)
    return _fallback(region, country, note=match.reason)


def _defaults(region: str, country: str) -> tuple[str, str]:
    """Return the codes of the source's region and country, each "" if it is not known."""
    try:
        code = resolve_region(region, country=country) if region.strip() else ""
    except UnknownPlace:
        code = ""
    try:
        where = country_of(code) or (resolve_country(country) if country.strip() else "")
    except UnknownPlace:
        where = ""
    return code, where


def _from_point(latitude: float, longitude: float, *, words: str, online: bool) -> EventLocation | None:
    """Return the location of a point: in the town that the text names if that is near, else in the nearest town.

    Return None for an invalid point (0, 0 is what software writes for no location).
    """
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180) or (latitude == 0 and longitude == 0):
        return None
    town = nearest_place(latitude=latitude, longitude=longitude, within_km=_NEAR_KM)
    if town is None:
        note = Message("No town is near the event’s coordinates.")
        place = find_place(words).place if words else None
        if place is not None:
            return EventLocation(
                online=online,
                note=Message("%(note)s Its text says %(said)s.", note=note, said=describe(place)),
                candidates=(place,),
            )
        return EventLocation(latitude=latitude, longitude=longitude, online=online, note=note)
    contradiction = _contradiction(words, latitude, longitude, town) if words else None
    if contradiction is not None:
        return replace(contradiction, online=online)
    named_town = words and find_named_near(words, latitude=latitude, longitude=longitude, within_km=_WITHIN_TOWN_KM)
    town = named_town or town
    return EventLocation(latitude, longitude, town.country, town.region, town.name, town.zone, online)


def _contradiction(words: str, latitude: float, longitude: float, near: Town) -> EventLocation | None:
    """Return a location without coordinates if the text certainly names another place than the coordinates, else None."""
    if find_named_near(words, latitude=latitude, longitude=longitude, within_km=_WITHIN_TOWN_KM) is not None:
        return None
    match = find_place(words, near=near.region or near.country)
    if match.place is not None:
        away = distance_km(latitude, longitude, match.place.latitude, match.place.longitude)
        if away <= _APART_KM:
            return None
        name = describe(match.place)
    elif match.country and not match.ambiguous:
        if is_area_near(match.country, latitude=latitude, longitude=longitude, within_km=_APART_KM):
            return None
        name = country_name(match.country)
    else:
        return None
    there = replace(near, latitude=latitude, longitude=longitude)
    return EventLocation(
        country=near.country if match.country == near.country else "",
        region=near.region if match.region and match.region == near.region else "",
        note=Message(
            "Its coordinates lie near %(near)s, but its text says %(said)s. It has no exact place until you choose one.",
            near=describe(near),
            said=name,
        ),
        candidates=tuple(place for place in (there, match.place) if place),
    )


def _at(match: PlaceMatch, place: Town, *, online: bool) -> EventLocation:
    latitude, longitude = match.point or (place.latitude, place.longitude)
    return EventLocation(latitude, longitude, match.country, match.region, place.name, place.zone, online)


def _fallback(region: str, country: str, *, note: str) -> EventLocation:
    """Return the source's own region, with a note; only the note if it has no region."""
    if region:
        return EventLocation(
            country=country_of(region),
            region=region,
            note=Message(
                "%(note)s The region of its source is used: %(region)s.", note=note, region=region_name(region)
            ),
        )
    return EventLocation(country=country, note=note)
