"""Locate an event that staff typed, by the same gazetteer as events from sources."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from newsletter.content.ingesting.home_location import find_home_country
from newsletter.content.parsing.entries import EventEntry
from newsletter.content.parsing.event_locations import EventLocation, locate_event

_TYPED_FIELDS = frozenset({"place_text", "town", "region", "country"})
_COORDINATES = frozenset({"latitude", "longitude"})


def locate_typed_event(typed: Mapping[str, Any], *, changed: Collection[str]) -> EventLocation | None:
    """Return the location of the fields of an event's form, or None if they already say all that can be known.

    ``changed`` are the fields that were edited. Typed coordinates stay. A town or address that is unknown or ambiguous
    gives a location without coordinates, with a note for staff.
    """
    texts = [text for text in (typed.get("town", ""), typed.get("place_text", "")) if text]
    has_point = typed.get("latitude") is not None and typed.get("longitude") is not None
    if has_point and not _COORDINATES.isdisjoint(changed):
        return _keep_typed(_locate(typed, place="", point=True), typed)
    if typed.get("online") or not texts or (has_point and _TYPED_FIELDS.isdisjoint(changed)):
        return None
    if "place_text" in changed and "town" not in changed:
        texts.reverse()
    found = [_locate(typed, place=text, point=False) for text in texts]
    located = next((location for location in found if location.latitude is not None), None)
    if located is None and has_point and changed and _TYPED_FIELDS.isdisjoint(set(changed) - {"place_text"}):
        return None
    located = located or found[0]
    return replace(located, town=located.town or typed.get("town", ""))


def _locate(typed: Mapping[str, Any], *, place: str, point: bool) -> EventLocation:
    entry = EventEntry(
        external_id="",
        title=typed.get("title", ""),
        starts_at=datetime.now(UTC),
        place=place,
        latitude=typed["latitude"] if point else None,
        longitude=typed["longitude"] if point else None,
    )
    return locate_event(
        entry,
        default_region=typed.get("region", ""),
        default_country=typed.get("country", ""),
        home_country=find_home_country(),
    )


def _keep_typed(located: EventLocation, typed: Mapping[str, Any]) -> EventLocation:
    """Return the location with what staff typed; the gazetteer fills only what they left empty."""
    return replace(
        located,
        latitude=typed["latitude"],
        longitude=typed["longitude"],
        town=typed.get("town") or located.town,
        region=typed.get("region") or located.region,
        country=typed.get("country") or located.country,
    )
