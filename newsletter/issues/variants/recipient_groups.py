"""Find the recipients of an issue by its kind: an issue, a monthly digest, a correction or a welcome mail.

`subscribers.audience.eligibility` alone decides who may be mailed at all.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

from django.db.models import BigIntegerField, Count, F, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from newsletter.common.database.one_reading import read_once
from newsletter.common.database.sqlite_pragmas import larger_sqlite_cache
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.variants.audience_rules import make_audience_filters, select_people
from newsletter.issues.variants.group_keys import (
    NOTHING_SEEN,
    Expression,
    language_of_subscription,
    number_interests_of_subscription,
    number_rules_of_subscription,
    number_seen_of_subscription,
    read_constants,
)
from newsletter.issues.variants.subject_assignment import NO_TEST, list_arms, number_arm_of_subscription
from newsletter.issues.visible.choose_visible import NO_RULE_MET, ReaderTraits, VersionId, VisibilityChooser
from newsletter.issues.visible.interests import NOTHING_CHOSEN
from newsletter.issues.visible.nearby_events import RecipientLocation, find_locations
from newsletter.issues.visible.version_limit import Version, VersionLimit
from newsletter.issues.visible.visible_content import Fallback, VisibleContent
from newsletter.models import Issue, ReaderGroup
from subscribers.audience.eligibility import candidates, eligible
from subscribers.audience.group_counting import can_group_by_index, count_groups_of_list
from subscribers.audience.kept_counts import count_or_recall
from subscribers.audience.zones import zone_of_person
from subscribers.models import Giving, Subscriber, Subscription

GROUP_KEY = ("place_id", "giving", "radius_km", "frequency", "interests", "seen", "rules", "language", "arm")
"""The fields that identify a group."""
REFERENCES = (
    *("place_ref", "giving_ref", "radius_ref", "frequency_ref"),
    *("interests_ref", "seen_ref", "rules_ref", "language_ref", "arm_ref"),
)
"""The annotations of a subscription with the values of these fields."""
get_key_of_group = attrgetter(*GROUP_KEY)


class RecipientGroup(NamedTuple):
    """Readers of whom an issue knows the same, and how many they are.

    ``place_id`` 0 means unknown; ``radius_km`` 0 and ``language`` "" mean the publication's own. ``interests``, ``seen`` and
    ``rules`` are the numbers of `newsletter.issues.variants.group_keys`; ``fallback`` is what they lose because they are too
    few for a version of their own. ``arm`` is that of `newsletter.issues.variants.subject_assignment`.
    """

    place_id: int
    giving: str
    people: int
    radius_km: int = 0
    frequency: str = "every"
    interests: int = NOTHING_CHOSEN
    seen: int = NOTHING_SEEN
    rules: int = NO_RULE_MET
    language: str = ""
    fallback: Fallback = Fallback.NONE
    arm: int = NO_TEST


def find_recipients(
    issue: Issue, *, content: IssueContent, now: datetime, rehearsed: bool = True, at_once: bool = False
) -> QuerySet[Any]:
    """Return the subscriptions that the issue would be sent to at ``now``.

    Each row has what makes its group: the annotations `REFERENCES`. A welcome mail is ``rehearsed`` with everybody on the
    list as if they were new, because nobody knows who joins; without it, its recipients are the people who are to get it now.
    ``at_once``: it is sent at ``now``, not when it is due. The mails of other issues are counted then.
    """
    filters = make_audience_filters(issue, now=now, rehearsed=rehearsed, at_once=at_once)
    keys = _make_content_keys(issue, content=content, rehearsed=rehearsed)
    return _with_groups(eligible(**filters, now=now).order_by(), keys)


def find_possible_recipients(issue: Issue, *, now: datetime) -> QuerySet[Subscription]:
    """Return the subscriptions that the issue could be sent to if nobody had too many mails. It may be unsaved."""
    return eligible(**select_people(issue), now=now).order_by()


def find_candidates(issue: Issue, *, content: IssueContent, now: datetime, at_once: bool) -> QuerySet[Any]:
    """Return everybody the issue is for, as `find_recipients` does. ``why`` is the reason for an exclusion, or ""."""
    people = candidates(**make_audience_filters(issue, now=now, at_once=at_once), now=now)
    return _with_groups(people, _make_content_keys(issue, content=content))


def _with_groups(people: QuerySet[Any], content_keys: Mapping[str, Expression]) -> QuerySet[Any]:
    grouped: QuerySet[Any] = people.annotate(
        subscriber_ref=F("subscriber_id"),
        hash_ref=F("subscriber__address_hash"),
        place_ref=Coalesce("subscriber__place_id", Value(0)),
        giving_ref=F("subscriber__giving"),
        radius_ref=Coalesce("subscriber__radius_km", Value(0)),
        frequency_ref=F("frequency"),
        **content_keys,
    )
    return grouped


def _make_content_keys(issue: Issue, *, content: IssueContent, rehearsed: bool = False) -> dict[str, Expression]:
    """Return the annotations that depend on the content. Each is a `Value` if it is the same for everybody."""
    nothing = Value(NOTHING_SEEN, output_field=BigIntegerField())
    return {
        "interests_ref": number_interests_of_subscription(content),
        "seen_ref": nothing if rehearsed and issue.is_welcome else number_seen_of_subscription(content, issue=issue),
        "rules_ref": number_rules_of_subscription(content),
        "language_ref": language_of_subscription(content),
        "arm_ref": number_arm_of_subscription(content),
    }


def find_groups(issue: Issue, *, content: IssueContent, now: datetime | None = None) -> list[RecipientGroup]:
    """Return the groups of `group_recipients`, with a welcome mail rehearsed."""
    return group_recipients(issue, content=content, now=now)[0]


def group_recipients(
    issue: Issue,
    *,
    content: IssueContent,
    now: datetime | None = None,
    rehearsed: bool = True,
    at_once: bool = False,
) -> "tuple[list[RecipientGroup], GroupVisibility]":
    """Return the groups of the audience, largest first. Those with the rarest versions have a ``fallback``.

    ``rehearsed`` and ``at_once`` are those of `find_recipients`. If there is nobody on the list yet, a welcome mail is
    rehearsed with one person without any data.
    """
    now = now or timezone.now()

    def select(at: datetime) -> QuerySet[Any]:
        recipients = find_recipients(issue, content=content, now=at, rehearsed=rehearsed, at_once=at_once)
        counted: QuerySet[Any] = recipients.values_list(*REFERENCES).annotate(people=Count("pk"))
        return counted

    def count() -> list[RecipientGroup]:
        counted = count_groups(issue, content=content, now=now, rehearsed=rehearsed, at_once=at_once)
        return [group for _zone, group in counted]

    def group() -> "tuple[list[RecipientGroup], GroupVisibility]":
        groups = count_or_recall("groups", select, count, now=now)
        return limit_groups(groups, content=content, rehearsed=rehearsed and issue.is_welcome)

    return read_once(f"groups {rehearsed} {at_once}", group, issue, content)


def count_groups(
    issue: Issue,
    *,
    content: IssueContent,
    now: datetime,
    rehearsed: bool = True,
    at_once: bool = False,
    with_zones: bool = False,
) -> list[tuple[str, RecipientGroup]]:
    """Return the groups of recipients in one statement, each once for each of their zones, or once with the zone ""."""
    filters = make_audience_filters(issue, now=now, rehearsed=rehearsed, at_once=at_once)
    default_zone = issue.publication.zone if with_zones else ""
    content_keys = _make_content_keys(issue, content=content, rehearsed=rehearsed)
    same_for_all = read_constants(content_keys.values())
    if same_for_all is not None and can_group_by_index(**filters, now=now):
        counted = count_groups_of_list(
            mailing_list=filters["mailing_list"],
            frequencies=filters["frequencies"],
            now=now,
            default_zone=default_zone,
        )
        return [(zone, make_group((*key, *same_for_all), people=people)) for (zone, *key), people in counted.items()]
    recipients = _with_groups(eligible(**filters, now=now).order_by(), content_keys)
    zone_of_row = zone_of_person(default_zone, prefix="subscriber__") if with_zones else Value("")
    rows = recipients.annotate(zone_ref=zone_of_row).values_list("zone_ref", *REFERENCES).annotate(people=Count("pk"))
    with larger_sqlite_cache(megabytes=16):
        return [(zone, make_group(key, people=people)) for zone, *key, people in rows]


def limit_groups(
    groups: Sequence[RecipientGroup], *, content: IssueContent, rehearsed: bool
) -> "tuple[list[RecipientGroup], GroupVisibility]":
    """Return what `limit_versions` does. A welcome mail that is ``rehearsed`` with an empty list has a group of nobody."""
    if rehearsed and not groups:
        groups = [RecipientGroup(place_id=0, giving=Giving.NONE, people=0)]
    return limit_versions(groups, content=content)


def limit_versions(
    groups: Iterable[RecipientGroup], *, content: IssueContent
) -> "tuple[list[RecipientGroup], GroupVisibility]":
    """Return the groups, largest first, with the fallbacks that keep the issue within its number of versions."""
    ordered = sorted(groups, key=lambda candidate: (-candidate.people, *get_key_of_group(candidate)))
    visibility = GroupVisibility(content, groups=ordered)
    limit = _make_limit(ordered, content=content, visibility=visibility)
    with_fallback = zip(ordered, limit.fallbacks, strict=True)
    return [group._replace(fallback=fallback) if fallback else group for group, fallback in with_fallback], visibility


def find_group_of(person: Subscriber, *, issue: Issue, content: IssueContent, now: datetime) -> RecipientGroup:
    """Return the group of a person by their current data, also if they may not be mailed."""
    group = find_own_group(person, issue=issue, content=content)
    groups = find_groups(issue, content=content, now=now)
    limit = _make_limit(groups, content=content, visibility=GroupVisibility(content, groups=[*groups, group]))
    return group._replace(fallback=limit.find_fallback(group))


def find_own_group(person: Subscriber, *, issue: Issue, content: IssueContent) -> RecipientGroup:
    """Return the group of a person as if every group had a version of its own. Raises BadRule."""
    on_list = Subscription.objects.filter(subscriber=person, mailing_list=issue.publication.mailing_list)
    rows = _with_groups(on_list.order_by("ended_at", "-pk"), _make_content_keys(issue, content=content))
    row = rows.values(*REFERENCES).first()
    group = RecipientGroup(place_id=person.place_id or 0, giving=person.giving, people=1)
    if row is None:
        return group
    return group._replace(**{field: row[reference] for field, reference in zip(GROUP_KEY, REFERENCES, strict=True)})


def _make_limit(
    groups: Sequence[RecipientGroup], *, content: IssueContent, visibility: "GroupVisibility"
) -> VersionLimit[RecipientGroup]:
    people = [(group, group.people) for group in groups]
    return VersionLimit(people, identify=visibility.identify, limit=content.publication.max_variants)


class GroupVisibility:
    """Choose the content that each group of readers sees, each choice once."""

    def __init__(self, content: IssueContent, *, groups: Iterable[RecipientGroup]) -> None:
        self._in_language = cache(lambda language: VisibilityChooser(content.in_language(language)))
        self._locations = find_locations(group.place_id for group in groups)
        self._mails_of_test = 1 + len(list_arms(content))

    def choose(self, group: RecipientGroup) -> VisibleContent:
        """Return the content that readers of one of the groups see."""
        chooser = self._in_language(_find_language(group, group.fallback))
        return chooser.get_visible(self._identify(chooser, group, group.fallback, group.arm))

    def identify(self, group: RecipientGroup, fallback: Fallback) -> Version:
        """Return the version of one of the groups with this fallback. All subjects of a test are one."""
        language = _find_language(group, fallback)
        version = self._identify(self._in_language(language), group, fallback, NO_TEST)
        return Version(language, version, self._mails_of_test if group.arm else 1)

    def _identify(self, chooser: VisibilityChooser, group: RecipientGroup, fallback: Fallback, arm: int) -> VersionId:
        reader = ReaderTraits(
            self.find_location(group),
            group.giving,
            group.radius_km,
            group.frequency,
            group.interests,
            group.seen,
            group.rules,
        )
        return chooser.identify(reader, fallback=fallback, arm=arm)

    def find_location(self, group: RecipientGroup) -> RecipientLocation:
        return self._locations.get(group.place_id, self._locations[0])


def _find_language(group: RecipientGroup, fallback: Fallback) -> str:
    return "" if fallback >= Fallback.LANGUAGE else group.language


def choose_visible_for_group(content: IssueContent, *, group: RecipientGroup) -> VisibleContent:
    """Return the content that readers of a group see."""
    return GroupVisibility(content, groups=[group]).choose(group)


def make_group(key: Iterable[Any], *, people: int) -> RecipientGroup:
    """Return the group with these values of `GROUP_KEY`."""
    return RecipientGroup(**dict(zip(GROUP_KEY, key, strict=True)), people=people)


def make_stored_group(row: ReaderGroup) -> RecipientGroup:
    """Return the group that a row keeps."""
    return make_group(get_key_of_group(row), people=row.people)._replace(fallback=Fallback(row.fallback))
