"""Read the fields that events of several interfaces have: a venue with an address, and a summary."""

from collections.abc import Mapping

from newsletter.content.parsing.apis.answers import Node
from newsletter.content.parsing.json_text import as_mapping, read_text
from newsletter.content.parsing.markup import plain_text, title_text
from newsletter.content.parsing.pages.event_venues import Venue, join_place, read_point

SUMMARY_CHARS = 20_000
_PART_CHARS = 200


def read_part(node: Node, name: str) -> str:
    """Return one part of an address as plain text."""
    return title_text(read_text(node, name))[:_PART_CHARS]


def read_osdi_location(raw: object) -> Venue:
    """Return a location as OSDI describes it (opensupporter.github.io/osdi-docs/events.html); Mobilize uses its fields too."""
    here = as_mapping(raw)
    lines = here.get("address_lines")
    street = ", ".join(title_text(str(line)) for line in lines if line)[:_PART_CHARS] if isinstance(lines, list) else ""
    name = read_part(here, "venue")
    locality, state, postcode, country = (
        read_part(here, part) for part in ("locality", "region", "postal_code", "country")
    )
    latitude, longitude = read_geo(here.get("location"))
    place = join_place(name, street, locality, state, postcode, country)
    return Venue(place, latitude, longitude, False, street, locality, state, postcode, country)


def read_geo(raw: object) -> tuple[float | None, float | None]:
    """Return the coordinates of an object with ``latitude`` and ``longitude``. (0, 0) is no place."""
    point = as_mapping(raw)
    north, east = read_point(point.get("latitude"), point.get("longitude"))
    return (None, None) if north == east == 0 else (north, east)


def read_summary(*texts: str) -> str:
    """Return the first text that is not empty, as plain text."""
    return next((plain for text in texts if (plain := plain_text(text[:SUMMARY_CHARS]).strip())), "")


def venue_fields(venue: Venue) -> Mapping[str, object]:
    """Return the fields of an ``EventEntry`` that say where it is."""
    return {
        "place": venue.place,
        "latitude": venue.latitude,
        "longitude": venue.longitude,
        "street": venue.street,
        "locality": venue.locality,
        "state": venue.state,
        "postcode": venue.postcode,
        "country": venue.country,
    }
