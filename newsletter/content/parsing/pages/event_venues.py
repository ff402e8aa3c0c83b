"""Read the location of a schema.org event: its text, the parts of its address, its point, and if it is online."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from newsletter.content.parsing.json_text import as_mapping
from newsletter.content.parsing.markup import plain_text, title_text
from newsletter.content.parsing.pages.json_ld import first_text, types_of
from newsletter.content.parsing.text import cut_at_word, tidy

_PLACE_CHARS = 500
_PART_CHARS = 200


@dataclass(frozen=True)
class Venue:
    """A venue. ``place`` is the whole address as text; ``virtual`` means that the event is (also) online."""

    place: str = ""
    latitude: float | None = None
    longitude: float | None = None
    virtual: bool = False
    street: str = ""
    locality: str = ""
    state: str = ""
    postcode: str = ""
    country: str = ""


def read_venue(raw: object) -> Venue:
    """Return the first venue of a location, which may be a text, a place, or a list of both."""
    venue, virtual = Venue(), False
    for item in raw if isinstance(raw, list) else [raw]:
        if isinstance(item, str):
            venue = venue if venue.place else replace(venue, place=cut_at_word(tidy(plain_text(item)), _PLACE_CHARS))
            continue
        here = as_mapping(item)
        if "VirtualLocation" in types_of(here):
            virtual = True
            continue
        if not venue.place:
            point = (venue.latitude, venue.longitude)
            venue = _address(here)
            if venue.latitude is None:
                venue = replace(venue, latitude=point[0], longitude=point[1])
        elif venue.latitude is None:
            latitude, longitude = _point_of(here)
            venue = replace(venue, latitude=latitude, longitude=longitude)
    return replace(venue, virtual=virtual)


def read_point(latitude: object, longitude: object) -> tuple[float | None, float | None]:
    """Return the coordinates as numbers, or (None, None)."""
    try:
        north, east = float(str(latitude)), float(str(longitude))
    except ValueError:
        return None, None
    good = -90 <= north <= 90 and -180 <= east <= 180
    return (north, east) if good else (None, None)


def join_place(*parts: str) -> str:
    """Join the parts of an address, each once."""
    return cut_at_word(", ".join(dict.fromkeys(part for part in parts if part)), _PLACE_CHARS)


def _address(here: Mapping[str, object]) -> Venue:
    name = title_text(first_text(here.get("name")))
    latitude, longitude = _point_of(here)
    raw = here.get("address")
    raw = raw[0] if isinstance(raw, list) and raw and isinstance(raw[0], dict) else raw
    if not isinstance(raw, dict):
        words = tidy(plain_text(raw)) if isinstance(raw, str) else ""
        return Venue(join_place(name, words), latitude, longitude)
    street, locality, state, postcode, country = (
        title_text(first_text(raw.get(part)))[:_PART_CHARS]
        for part in ("streetAddress", "addressLocality", "addressRegion", "postalCode", "addressCountry")
    )
    place = join_place(name, street, locality, state, postcode, country)
    return Venue(place, latitude, longitude, False, street, locality, state, postcode, country)


def _point_of(here: Mapping[str, object]) -> tuple[float | None, float | None]:
    raw = here.get("geo")
    geo = as_mapping(raw[0] if isinstance(raw, list) and raw else raw)
    if geo:
        return read_point(first_text(geo.get("latitude")), first_text(geo.get("longitude")))
    return read_point(first_text(here.get("latitude")), first_text(here.get("longitude")))
