"""Find the organisation's own zone and country from its publications, for events that name neither."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from babel.core import get_global
from django.db.models import QuerySet

from newsletter.models import EventNotice, Publication, Source
from subscribers.models import MailingList


def find_home_zone() -> str:
    """Return the time zone that all publications have, or "" if there is none or they differ."""
    zones = set(Publication.objects.filter(archived=False).values_list("zone", flat=True))
    return zones.pop() if len(zones) == 1 else ""


def find_usual_zone() -> str:
    """Return the time zone that most publications have, or "" if there is no publication."""
    zones = Publication.objects.filter(archived=False).exclude(zone="").order_by("pk").values_list("zone", flat=True)
    return next((zone for zone, _count in Counter(zones).most_common(1)), "")


def find_home_country() -> str:
    """Return the code of the country of the publications' time zones, or "" if they are in several or in none."""
    return _find_common_country(Publication.objects.filter(archived=False))


def find_list_country(mailing_list: MailingList) -> str:
    """Return the code of the country of the list's publications, else of all publications, or "" if it is not clear."""
    return (
        _find_common_country(Publication.objects.filter(archived=False, mailing_list=mailing_list))
        or find_home_country()
    )


def _find_common_country(publications: QuerySet[Publication]) -> str:
    country_of = get_global("zone_territories")
    countries = {country_of.get(zone, "") for zone in publications.values_list("zone", flat=True)}
    return countries.pop() if len(countries) == 1 else ""


@contextmanager
def rereading_events_if_home_zone_changes() -> Iterator[None]:
    """Read all events of sources again, completely, if the home zone is another at the end of the block."""
    before = find_home_zone()
    yield
    if find_home_zone() != before:
        EventNotice.objects.filter(source__isnull=False).update(source_sha256="")
        with_events = EventNotice.objects.filter(source__isnull=False).values("source")
        Source.objects.filter(pk__in=with_events).update(etag="", last_modified="", due_at=None)
