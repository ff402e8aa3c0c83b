"""Choose which of an issue's events a reader sees. Only `find_locations` reads the database.

Events near the reader come first, then those in the region, then those online, then an invitation to host one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from newsletter.issues.snapshot.records.events import EventRecord
from subscribers.models import SubscriberLocation
from subscribers.places.towns import distance_km

CLOSE_KM = 15
_CLOSE_TO_TOWN_KM = 10.0
"""A reader's location is known only to the town, so an event this near to the town is within CLOSE_KM of the reader."""

SelectionKind = Literal["near", "region", "online", "host", "nothing", "all"]


@dataclass(frozen=True)
class RecipientLocation:
    """A reader's home, as far as it is known. Codes are ISO 3166: ``US``, ``US-TX``."""

    country: str = ""
    region: str = ""
    town: str = ""
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True)
class EventSelection:
    """The events that a group of readers sees, in the order to show. ``all`` is for pages that everybody sees.

    ``close`` are the ids of the events within CLOSE_KM (kilometres) of every reader of the group, ``abroad`` those of the
    events in another country than theirs: a mail names the country of these alone.
    """

    kind: SelectionKind
    events: tuple[EventRecord, ...]
    close: tuple[int, ...] = ()
    abroad: tuple[int, ...] = ()


def choose_events_for(
    location: RecipientLocation, *, events: Iterable[EventRecord], limit: int, radius_km: float, host: bool
) -> EventSelection:
    """Return at most ``limit`` events for a reader. Online events fill what near or regional ones leave free."""
    open_events = [event for event in events if not event.cancelled]
    online = [event for event in open_events if event.online]
    near = [event for event in open_events if not event.online and is_near(location, event, radius_km=radius_km)]
    if near:
        return _select_near(location, (near + online)[:limit])
    regional = [event for event in open_events if not event.online and is_regional(location, event)]
    if regional:
        return EventSelection("region", tuple((regional + online)[:limit]))
    if online:
        return EventSelection("online", tuple(online[:limit]))
    return EventSelection("host" if host else "nothing", ())


def choose_only_near_events(
    location: RecipientLocation, *, events: Iterable[EventRecord], limit: int, radius_km: float
) -> EventSelection:
    """Return the events for readers who want only events near them: in their region if only the region is known."""
    in_person = [event for event in events if not event.cancelled and not event.online]
    if location.latitude is None or location.longitude is None:
        regional = [event for event in in_person if is_regional(location, event)]
        return EventSelection("region" if regional else "nothing", tuple(regional[:limit]))
    near = [event for event in in_person if is_near(location, event, radius_km=radius_km)]
    return _select_near(location, near[:limit]) if near else EventSelection("nothing", ())


def choose_events_of_all_places(events: Iterable[EventRecord], *, limit: int, only_in_person: bool) -> EventSelection:
    """Return at most ``limit`` events wherever they are, for readers who share a version with other places."""
    open_events = [event for event in events if not event.cancelled and not (only_in_person and event.online)]
    return EventSelection("all", tuple(open_events[:limit]))


def _select_near(location: RecipientLocation, events: Sequence[EventRecord]) -> EventSelection:
    """Note which events are close. Use a single distance: each further one would multiply the variants."""
    close = (event.id for event in events if not event.online and is_near(location, event, radius_km=_CLOSE_TO_TOWN_KM))
    return EventSelection("near", tuple(events), tuple(close))


def list_abroad(events: Iterable[EventRecord], *, country: str) -> tuple[int, ...]:
    """Return the ids of the events in another country than this one. If it is not known (""), that is every country."""
    return tuple(event.id for event in events if not event.online and event.country not in ("", country))


def is_possibly_in(location: RecipientLocation, codes: Iterable[str]) -> bool:
    """Return True if a reader is or may be in one of these countries or regions (ISO 3166: ``US``, ``US-TX``)."""
    for code in codes:
        country = code.split("-")[0]
        if not location.country:
            return True
        if location.country == country and (code == country or not location.region or location.region == code):
            return True
    return False


def is_near(location: RecipientLocation, event: EventRecord, *, radius_km: float) -> bool:
    """Return True if the event is at most so far from the reader's town. False if a point is not known."""
    if location.latitude is None or location.longitude is None or event.latitude is None or event.longitude is None:
        return False
    return distance_km(location.latitude, location.longitude, event.latitude, event.longitude) <= radius_km


def is_regional(location: RecipientLocation, event: EventRecord) -> bool:
    """Return True if both are in one region, or if both are known only by the same country."""
    if location.region and event.region:
        return location.region == event.region
    return bool(location.country and location.country == event.country and not location.region and not event.region)


def find_locations(place_ids: Iterable[int]) -> dict[int, RecipientLocation]:
    """Return locations by place id. 0 is the unknown location."""
    locations = {0: RecipientLocation()}
    for place in SubscriberLocation.objects.filter(pk__in=set(place_ids)):
        locations[place.pk] = RecipientLocation(
            country=place.country,
            region=place.region,
            town=place.town,
            latitude=place.latitude,
            longitude=place.longitude,
        )
    return locations
