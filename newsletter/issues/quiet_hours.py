"""Find the people whom a publication must not mail now, because of its quiet hours on their clocks."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from newsletter.common.schedule import find_end_between
from newsletter.models import Publication
from subscribers.audience.zones import list_known_zones, zone_of_person
from subscribers.models import Subscriber


def find_people_in_quiet_hours(publication: Publication, *, now: datetime) -> QuerySet[Subscriber]:
    """Return the people for whom it is between the publication's quiet hours now. Nobody, if it has none."""
    start, end = publication.quiet_from, publication.quiet_until
    if start is None or end is None:
        return Subscriber.objects.none()
    zones = [zone for zone in list_known_zones() if find_end_between(start, end, now=now, zone=ZoneInfo(zone))]
    return Subscriber.objects.annotate(zone_ref=zone_of_person(publication.zone)).filter(zone_ref__in=zones)
