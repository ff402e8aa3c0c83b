"""Find the recipients of an issue by its kind: an issue of the schedule, a monthly digest or a correction.

`subscribers.audience.eligibility` alone decides who may be mailed at all.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Required, TypedDict

from django.db.models import Count, F, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.variants.audience_segment import find_audience_segment
from newsletter.issues.variants.event_mentions import find_misinforming_deliveries
from newsletter.issues.variants.nearby_events import RecipientLocation
from newsletter.issues.variants.visibility import VisibleContent, choose_visible
from newsletter.models import Delivery, Issue
from subscribers.audience.eligibility import ANY_FREQUENCY, AudienceCount, candidates, count_audience, eligible
from subscribers.models import Frequency, MailingList, Segment, SubscriberLocation

FREQUENCIES = {
    Issue.Kind.ISSUE: frozenset({Frequency.EVERY, Frequency.EVENTS}),
    Issue.Kind.DIGEST: frozenset({Frequency.MONTHLY}),
    Issue.Kind.CORRECTION: ANY_FREQUENCY,
}
NO_EVENT_NEAR = "no_event_near"
NOT_ON_LIST = "not_on_the_list"


@dataclass(frozen=True)
class RecipientGroup:
    """Readers with the same location, giving status, radius and frequency, and how many they are.

    ``place_id`` 0 means unknown; ``radius_km`` 0 means the publication's own.
    """

    place_id: int
    giving: str
    people: int
    radius_km: int = 0
    frequency: str = "every"


def find_recipients(issue: Issue, *, now: datetime) -> QuerySet[Any]:
    """Return the subscriptions that the issue would be sent to at ``now``.

    Each row has what makes its group: place_ref, giving_ref, radius_ref, frequency_ref.
    """
    return _with_groups(eligible(**_make_audience_filters(issue), now=now).order_by())


def find_candidates(issue: Issue, *, now: datetime) -> QuerySet[Any]:
    """Return the same for everybody the issue is for, with ``why`` they are excluded, or ""."""
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
    """Return the groups of the audience, largest first."""
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
    """Count candidates, eligible and excluded by reason. People without an event near them still count as eligible."""
    return add_unsubscribed_to_exclusions(issue, counted=count_audience(**_make_audience_filters(issue), now=now))


def add_unsubscribed_to_exclusions(issue: Issue, *, counted: AudienceCount) -> AudienceCount:
    """Count everybody who was misinformed as a correction's candidates, and those no longer on the list as excluded."""
    if issue.kind != Issue.Kind.CORRECTION:
        return counted
    shown = _find_misinformed_ids(issue).distinct().count()
    unsubscribed = shown - counted.candidates
    excluded = {**counted.excluded, **({NOT_ON_LIST: unsubscribed} if unsubscribed else {})}
    return replace(counted, candidates=shown, excluded=excluded)


def count_final_audience(issue: Issue, *, content: IssueContent, now: datetime) -> AudienceCount:
    """Count as `count_people` does, but exclude people who asked only for events and have none near them."""
    counted = count_people(issue, now=now)
    groups = [group for group in find_groups(issue, now=now) if group.frequency == Frequency.EVENTS]
    locations = find_locations(group.place_id for group in groups)
    visible = ((group, choose_visible_for_group(content, group=group, locations=locations)) for group in groups)
    without_events = sum(group.people for group, chosen in visible if chosen.is_empty)
    if not without_events:
        return counted
    excluded = {**counted.excluded, NO_EVENT_NEAR: without_events}
    return replace(counted, eligible=counted.eligible - without_events, excluded=excluded)


def choose_visible_for_group(
    content: IssueContent, *, group: RecipientGroup, locations: dict[int, RecipientLocation]
) -> VisibleContent:
    """Return what readers of a group see of the content."""
    location = locations.get(group.place_id, RecipientLocation())
    return choose_visible(
        content, location=location, giving=group.giving, radius_km=group.radius_km, frequency=group.frequency
    )


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


class _AudienceFilters(TypedDict, total=False):
    """The arguments by which `subscribers.audience.eligibility` selects people."""

    mailing_list: Required[MailingList]
    segment: Segment | None
    frequencies: Required[frozenset[Frequency]]
    subscriber_ids: QuerySet[Delivery, int]


def _make_audience_filters(issue: Issue) -> _AudienceFilters:
    publication = issue.publication
    if issue.kind == Issue.Kind.CORRECTION:
        misinformed = _find_misinformed_ids(issue)
        return {"mailing_list": publication.mailing_list, "frequencies": ANY_FREQUENCY, "subscriber_ids": misinformed}
    return {
        "mailing_list": publication.mailing_list,
        "segment": find_audience_segment(issue),
        "frequencies": FREQUENCIES[Issue.Kind(issue.kind)],
    }


def _find_misinformed_ids(issue: Issue) -> QuerySet[Delivery, int]:
    """Return the ids of misinformed subscribers: none if another issue announces the change instead."""
    if not hasattr(issue, "correction"):
        return Delivery.objects.none().values_list("subscriber_id", flat=True)
    return find_misinforming_deliveries(issue.correction).order_by().values_list("subscriber_id", flat=True)
