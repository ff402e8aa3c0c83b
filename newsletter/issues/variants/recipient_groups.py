"""Whom an issue is for, by its kind: every issue, the month's digest, or those who were shown what a correction corrects.

Who may be mailed at all is decided in `subscribers.audience.eligibility` and nowhere else.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Count, F, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from newsletter.issues.variants.nearby_events import RecipientLocation
from newsletter.issues.variants.notified import find_misinforming_deliveries
from newsletter.issues.variants.visibility import Content, VisibleContent, see
from newsletter.models import Delivery, Issue
from subscribers.audience.eligibility import ANY_FREQUENCY, AudienceCount, candidates, count_audience, eligible
from subscribers.models import Frequency, SubscriberLocation

FREQUENCIES = {
    Issue.Kind.ISSUE: frozenset({Frequency.EVERY, Frequency.EVENTS}),
    Issue.Kind.DIGEST: frozenset({Frequency.MONTHLY}),
    Issue.Kind.CORRECTION: ANY_FREQUENCY,
}
NO_EVENT_NEAR = "no_event_near"
NOT_ON_LIST = "not_on_the_list"


@dataclass(frozen=True)
class RecipientGroup:
    """Readers of one place (0: unknown), giving status, radius (0: the publication's) and rhythm, and how many they are."""

    place_id: int
    giving: str
    people: int
    radius_km: int = 0
    frequency: str = "every"


def find_recipients(issue: Issue, *, now: datetime) -> QuerySet[Any]:
    """Everyone whom the issue may reach at ``now``, with what makes their group: place_ref, giving_ref, radius_ref, frequency."""
    return _with_groups(eligible(**_make_audience_filters(issue), now=now).order_by())


def find_candidates(issue: Issue, *, now: datetime) -> QuerySet[Any]:
    """The same of everyone whom the issue is for, and ``why`` it may not reach them: "" where it may."""
    return _with_groups(candidates(**_make_audience_filters(issue), now=now))


def _with_groups(people: QuerySet[Any]) -> QuerySet[Any]:
    grouped: QuerySet[Any] = people.annotate(
        subscriber_ref=F("subscriber_id"),
        hash_ref=F("subscriber__address_hash"),
        place_ref=Coalesce("subscriber__place_id", Value(0)),
        giving_ref=F("subscriber__giving"),
        radius_ref=Coalesce("subscriber__radius_km", Value(0)),
        frequency_ref=F("frequency"),
    )
    return grouped


def find_groups(issue: Issue, *, now: datetime | None = None) -> list[RecipientGroup]:
    """The groups of readers that the audience has now, largest first."""
    rows = (
        find_recipients(issue, now=now or timezone.now())
        .values_list("place_ref", "giving_ref", "radius_ref", "frequency_ref")
        .annotate(people=Count("pk"))
    )
    groups = (
        RecipientGroup(place_id=place, giving=giving, people=people, radius_km=radius, frequency=frequency)
        for place, giving, radius, frequency, people in rows
    )
    return sorted(groups, key=lambda one: (-one.people, one.place_id, one.giving, one.radius_km, one.frequency))


def count_people(issue: Issue, *, now: datetime) -> AudienceCount:
    """Candidates, eligible and excluded by reason, before it is looked at who has an event near them."""
    return add_unsubscribed_to_exclusions(issue, counted=count_audience(**_make_audience_filters(issue), now=now))


def add_unsubscribed_to_exclusions(issue: Issue, *, counted: AudienceCount) -> AudienceCount:
    """Of a correction, the candidates are all who were shown the event; those who left the list since are excluded."""
    if issue.kind != Issue.Kind.CORRECTION:
        return counted
    shown = _find_misinformed_ids(issue).distinct().count()
    left = shown - counted.candidates
    excluded = {**counted.excluded, **({NOT_ON_LIST: left} if left else {})}
    return replace(counted, candidates=shown, excluded=excluded)


def count_final_audience(issue: Issue, *, content: Content, now: datetime) -> AudienceCount:
    """The same, with those who asked for events alone and have none near them among the excluded."""
    counted = count_people(issue, now=now)
    groups = [group for group in find_groups(issue, now=now) if group.frequency == Frequency.EVENTS]
    locations = find_locations(group.place_id for group in groups)
    nothing = sum(
        group.people for group in groups if choose_visible_for_group(content, group=group, locations=locations).nothing
    )
    if not nothing:
        return counted
    excluded = {**counted.excluded, NO_EVENT_NEAR: nothing}
    return replace(counted, eligible=counted.eligible - nothing, excluded=excluded)


def choose_visible_for_group(
    content: Content, *, group: RecipientGroup, locations: dict[int, RecipientLocation]
) -> VisibleContent:
    """What readers of a group see of the content."""
    where = locations.get(group.place_id, RecipientLocation())
    return see(content, where=where, giving=group.giving, radius_km=group.radius_km, frequency=group.frequency)


def find_locations(place_ids: Iterable[int]) -> dict[int, RecipientLocation]:
    """Places by id, with 0 for the unknown one."""
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


def _make_audience_filters(issue: Issue) -> dict[str, Any]:
    publication = issue.publication
    if issue.kind == Issue.Kind.CORRECTION:
        among = _find_misinformed_ids(issue)
        return {"mailing_list": publication.mailing_list, "frequencies": ANY_FREQUENCY, "among": among}
    return {
        "mailing_list": publication.mailing_list,
        "segment": publication.segment,
        "frequencies": FREQUENCIES[Issue.Kind(issue.kind)],
    }


def _find_misinformed_ids(issue: Issue) -> QuerySet[Any, int]:
    """Nobody where the correction was cancelled and its change is announced in another issue."""
    if not hasattr(issue, "correction"):
        return Delivery.objects.none().values_list("subscriber_id", flat=True)
    return find_misinforming_deliveries(issue.correction).order_by().values_list("subscriber_id", flat=True)
