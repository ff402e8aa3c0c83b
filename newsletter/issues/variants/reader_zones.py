"""Compute the moments of a wall-clock time in the zones of an issue's readers, by `subscribers.audience.zones`."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from django.db.models import Count, Q, QuerySet

from newsletter.common.errors import BadRule
from newsletter.common.schedule import parse_due
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.variants.audience_rules import list_audience_segments
from newsletter.issues.variants.recipient_groups import (
    REFERENCES,
    GroupVisibility,
    RecipientGroup,
    count_groups,
    find_possible_recipients,
    find_recipients,
)
from newsletter.models import Issue, Publication
from subscribers.audience.kept_counts import count_or_recall
from subscribers.audience.zones import zone_of_person

_MAX_ZONE_SPREAD = timedelta(hours=26)
"""The longest time between the same wall-clock time in two zones of the world."""
_ZONES_FRESH_SECONDS = 600.0
_SLOW_SECONDS = 0.1
_MAX_CACHED = 100
_cache: dict[tuple[object, ...], tuple[float, frozenset[str]]] = {}


@dataclass(frozen=True)
class LocalHour:
    """A moment at which an issue's wall-clock time comes, and the people of each zone who get it then."""

    at: datetime
    zones: Mapping[str, int]

    @property
    def people(self) -> int:
        return sum(self.zones.values())

    def to_json(self) -> dict[str, object]:
        """Return what `Send.hours` keeps of it."""
        return {"at": self.at.isoformat(), "zones": dict(self.zones)}


def find_local_time(issue: Issue) -> str:
    """Return the wall-clock time at which each reader gets the issue, or "" if everybody gets it at once.

    A correction never waits, nor does an issue that a person sends.
    """
    publication = issue.publication
    local = publication.send_at == Publication.SendAt.LOCAL and issue.kind != Issue.Kind.CORRECTION
    if not local or issue.due_at is None:
        return ""
    if issue.slot is not None and issue.slot.due_at == issue.due_at:
        return str(issue.slot.due_local)
    return f"{issue.due_at.astimezone(ZoneInfo(publication.zone)):%Y-%m-%dT%H:%M}"


@lru_cache(maxsize=4096)
def find_hour(zone: str, *, local_time: str) -> datetime:
    """Return the moment at which this wall-clock time comes in a zone.

    A time that does not exist (spring) is the first moment after the gap. A time that occurs twice (autumn) is the first one.
    """
    return parse_due(local_time, zone=zone).at


def find_first_hour(issue: Issue, *, now: datetime) -> datetime | None:
    """Return when the first reader's hour comes, or None if the issue does not use readers' hours."""
    return min(_list_hours(issue, now=now), default=None)


def find_last_hour(issue: Issue, *, now: datetime) -> datetime | None:
    """Return when the last reader's hour comes, or None if the issue does not use readers' hours."""
    return max(_list_hours(issue, now=now), default=None)


def make_due_filter(now: datetime) -> Q:
    """Return the condition of issues that are due, or whose first reader's hour may have come."""
    local = Q(publication__send_at=Publication.SendAt.LOCAL, due_at__lte=now + _MAX_ZONE_SPREAD)
    return Q(due_at__lte=now) | local


def find_start(issue: Issue, *, now: datetime) -> datetime | None:
    """Return when the issue's send is to begin: at the first reader's hour, else at its time. None if no time is planned."""
    return find_first_hour(issue, now=now) or issue.due_at


def find_lead(publication: Publication, *, now: datetime) -> timedelta:
    """Return how long before its time an issue is assembled: the publication's lead, before the first reader's hour."""
    lead = timedelta(hours=publication.lead_hours)
    if publication.send_at != Publication.SendAt.LOCAL:
        return lead
    zones = _list_zones(Issue(publication=publication), now=now)
    easternmost = max(_find_offset(zone, now) for zone in zones)
    return lead + max(easternmost - _find_offset(publication.zone, now), timedelta())


def count_local_hours(issue: Issue, *, content: IssueContent, now: datetime) -> list[LocalHour]:
    """Return the hours at which the issue would be sent, with its recipients; [] if everybody gets it at once.

    People for whom the issue has nothing are not counted.
    """
    local_time = find_local_time(issue)
    if not local_time:
        return []
    return group_by_hour(count_by_zone(issue, content=content, now=now), local_time=local_time)


def count_by_zone(issue: Issue, *, content: IssueContent, now: datetime) -> Counter[str]:
    """Return how many recipients are in each zone. People for whom the issue has nothing are not counted."""

    def select(at: datetime) -> QuerySet[Any]:
        rows = _with_zone(find_recipients(issue, content=content, now=at), issue.publication)
        zones: QuerySet[Any] = rows.values_list(*REFERENCES, "zone_ref").annotate(people=Count("pk"))
        return zones

    def count() -> list[tuple[str, RecipientGroup]]:
        return count_groups(issue, content=content, now=now, with_zones=True)

    return add_up_zones(count_or_recall("zones", select, count, now=now), content=content)


def add_up_zones(groups: Sequence[tuple[str, RecipientGroup]], *, content: IssueContent) -> Counter[str]:
    """Return how many people of these groups are in each zone, less those for whom the content has nothing."""
    visibility = GroupVisibility(content, groups=[group for _zone, group in groups])
    people_by_zone: Counter[str] = Counter()
    for zone, group in groups:
        if not visibility.choose(group).is_empty:
            people_by_zone[zone] += group.people
    return people_by_zone


def group_by_hour(people_by_zone: Mapping[str, int], *, local_time: str) -> list[LocalHour]:
    """Return the hours in order. Zones with the same hour are together, the ones with the most people first."""
    hours: dict[datetime, dict[str, int]] = {}
    for zone, people in sorted(people_by_zone.items(), key=lambda row: (-row[1], row[0])):
        hours.setdefault(find_hour(zone, local_time=local_time), {})[zone] = people
    return [LocalHour(at=at, zones=hours[at]) for at in sorted(hours)]


def _with_zone(people: QuerySet[Any], publication: Publication) -> QuerySet[Any]:
    annotated: QuerySet[Any] = people.annotate(zone_ref=zone_of_person(publication.zone, prefix="subscriber__"))
    return annotated


def _list_hours(issue: Issue, *, now: datetime) -> list[datetime]:
    local_time = find_local_time(issue)
    if not local_time:
        return []
    zones = _list_zones(issue, now=now)
    return [find_hour(zone, local_time=local_time) for zone in zones]


def _list_zones(issue: Issue, *, now: datetime) -> frozenset[str]:
    """Return the zones of everybody who may be mailed.

    Each process reads those of a large audience every ten minutes, and at once if the publication's zone, its list or a
    segment's rule changes. Without people, and if the segment names something that was deleted, it is the publication's zone.
    """
    publication = issue.publication
    rules = orjson.dumps([segment.rule for segment in list_audience_segments(issue)])
    key = (publication.pk, issue.pk, publication.zone, publication.mailing_list_id, issue.is_charitable, rules)
    read_at, zones = _cache.get(key, (0.0, frozenset()))
    began = time.monotonic()
    if zones and began - read_at < _ZONES_FRESH_SECONDS:
        return zones
    usual = frozenset([publication.zone])
    try:
        people = _with_zone(find_possible_recipients(issue, now=now), publication)
    except BadRule:
        return usual
    zones = frozenset(people.values_list("zone_ref", flat=True).distinct()) or usual
    _cache.pop(key, None)
    if time.monotonic() - began > _SLOW_SECONDS:
        if len(_cache) >= _MAX_CACHED:
            _cache.clear()
        _cache[key] = (began, zones)
    return zones


def _find_offset(zone: str, at: datetime) -> timedelta:
    return at.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()
