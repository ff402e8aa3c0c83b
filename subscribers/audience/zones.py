"""The time zone of each person: that of their place, else that of their import, else a default.

A name that is no zone (any more) counts as none.
"""

from functools import lru_cache
from zoneinfo import available_timezones

from django.db.models import Case, F, Value, When

from subscribers.models import Subscriber


def zone_of_person(default: str, *, prefix: str = "") -> Case:
    """Return the expression of a person's zone, for a row of a subscriber, or of one whose subscriber is at ``prefix``."""
    known_zones = list_known_zones()
    place, stated = f"{prefix}place__zone", f"{prefix}timezone"
    return Case(
        When(**{f"{place}__in": known_zones}, then=F(place)),
        When(**{f"{stated}__in": known_zones}, then=F(stated)),
        default=Value(default),
    )


def find_zone_of(person: Subscriber, *, default: str) -> str:
    """Return the name of a person's zone."""
    return choose_zone(person.place.zone if person.place else "", person.timezone, default=default)


def choose_zone(*stated: str, default: str) -> str:
    """Return the first that is a zone."""
    return next((zone for zone in stated if zone in list_known_zones()), default)


@lru_cache(maxsize=1)
def list_known_zones() -> tuple[str, ...]:
    """Return the names of all zones, in order."""
    return tuple(sorted(available_timezones()))
