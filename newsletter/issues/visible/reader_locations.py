"""Look up where readers are, by the ids of their locations."""

from collections.abc import Iterable

from newsletter.issues.visible.nearby_events import RecipientLocation
from subscribers.models import SubscriberLocation


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
