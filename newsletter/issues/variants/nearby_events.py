"""Which of an issue's events a reader sees: near, else in the region, else online, else an invitation to host, else nothing.

Pure arithmetic over the resolved content; no tables.
"""

from dataclasses import dataclass
from typing import Any

from subscribers.places.distance import distance_km

Event = dict[str, Any]
CLOSE_KM = 15
_CLOSE_TO_TOWN_KM = 10.0  # readers' places are known to the town: this leaves room for where in it they live


@dataclass(frozen=True)
class RecipientLocation:
    """A reader's place, as far as it is known."""

    country: str = ""
    region: str = ""
    town: str = ""
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True)
class EventSelection:
    """``kind`` is near, region, online, host or nothing; ``events`` are in the order to show.

    ``close`` are the ids of those that take place within CLOSE_KM (kilometres) of every reader who is shown this choice.
    """

    kind: str
    events: tuple[Event, ...]
    close: tuple[int, ...] = ()


def choose_events_for(
    where: RecipientLocation, *, events: list[Event], limit: int, radius_km: float, host: bool
) -> EventSelection:
    """Return at most ``limit`` events for a reader at ``where``; places left free by near or regional ones go to online ones."""
    open_events = [event for event in events if not event["cancelled"]]
    online = [event for event in open_events if event["online"]]
    near = [event for event in open_events if not event["online"] and is_near(where, event, radius_km=radius_km)]
    if near:
        return _choose_near(where, (near + online)[:limit])
    regional = [event for event in open_events if not event["online"] and is_regional(where, event)]
    if regional:
        return EventSelection("region", tuple((regional + online)[:limit]))
    if online:
        return EventSelection("online", tuple(online[:limit]))
    return EventSelection("host" if host else "nothing", ())


def choose_near_events(
    where: RecipientLocation, *, events: list[Event], limit: int, radius_km: float
) -> EventSelection:
    """For readers who want nothing else: near ones, and of their region where nothing better than that is known of them."""
    in_person = [event for event in events if not event["cancelled"] and not event["online"]]
    if where.latitude is None or where.longitude is None:
        regional = [event for event in in_person if is_regional(where, event)]
        return EventSelection("region" if regional else "nothing", tuple(regional[:limit]))
    near = [event for event in in_person if is_near(where, event, radius_km=radius_km)]
    return _choose_near(where, near[:limit]) if near else EventSelection("nothing", ())


def _choose_near(where: RecipientLocation, events: list[Event]) -> EventSelection:
    """One ring alone, so that readers of one region do not fall into as many groups as it has towns."""
    close = (
        event["id"] for event in events if not event["online"] and is_near(where, event, radius_km=_CLOSE_TO_TOWN_KM)
    )
    return EventSelection("near", tuple(events), tuple(close))


def is_possibly_in(where: RecipientLocation, places: list[str]) -> bool:
    """Whether a reader is, or for all we know may be, in one of these countries or regions (ISO 3166: ``US``, ``US-TX``)."""
    for place in places:
        country = place.split("-")[0]
        if not where.country:
            return True
        if where.country == country and (place == country or not where.region or where.region == place):
            return True
    return False


def is_near(where: RecipientLocation, event: Event, *, radius_km: float) -> bool:
    if where.latitude is None or where.longitude is None or event["latitude"] is None or event["longitude"] is None:
        return False
    return distance_km(where.latitude, where.longitude, event["latitude"], event["longitude"]) <= radius_km


def is_regional(where: RecipientLocation, event: Event) -> bool:
    """In the reader's region; an event known only by country counts for readers known only by country."""
    if where.region and event["region"]:
        return bool(where.region == event["region"])
    return bool(where.country and where.country == event["country"] and not where.region and not event["region"])
