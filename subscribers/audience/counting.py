"""Count who may be mailed. `subscribers.audience.eligibility` decides about each person; this only adds up."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Unpack

from django.db import connection
from django.db.models import Count, OuterRef, Q, QuerySet, Value

from newsletter.common.database.compiled_query import (
    ROW_PLACEHOLDER,
    TIME_PLACEHOLDER,
    CompiledQuery,
    compile_query,
    finds_row,
)
from subscribers.audience.eligibility import (
    ANY_FREQUENCY,
    EVERY_ISSUE,
    AudienceFilters,
    candidates,
    make_exclusion_reason,
)
from subscribers.audience.recipient_allowlist import get_recipient_allowlist
from subscribers.models import Frequency, MailingList, StayQuestion, Subscriber, Subscription, Suppression
from subscribers.models.subscriptions import NOT_CONFIRMED, PAUSED_ONCE, RARER

_ALL = "all"
"""The name of the number of candidates in the results of a statement, next to the reasons."""
_CountedReason = tuple[int, str, int]
"""The id of a list, a reason or `_ALL`, and the number of people."""


@dataclass(frozen=True)
class AudienceCount:
    """The number of candidates, of eligible people, and of people excluded for each reason."""

    candidates: int
    eligible: int
    excluded: dict[str, int]


def count_audience(*, now: datetime, **filters: Unpack[AudienceFilters]) -> AudienceCount:
    """Count candidates, eligible and excluded people in one statement, so that the numbers agree."""
    if excludes_few(**filters):
        return _count_whole_list(filters["mailing_list"], filters.get("frequencies", EVERY_ISSUE), now=now)
    people = candidates(**filters, now=now)
    counted = people.values("exclusion_reason").annotate(people=Count("pk"))
    return make_audience_count(dict(counted.values_list("exclusion_reason", "people")))


def excludes_few(**filters: Unpack[AudienceFilters]) -> bool:
    """Return True if these arguments of `candidates` select a whole list, less some of `find_possibly_excluded`."""
    narrowing = (filters.get("segment"), filters.get("subscriber_ids"), filters.get("over_budget"))
    is_whole_list = all(narrowed is None for narrowed in narrowing) and filters.get("charitable", True)
    frequencies = filters.get("frequencies", EVERY_ISSUE)
    return is_whole_list and Frequency.EVERY in frequencies and get_recipient_allowlist() is None


def count_lists(*, now: datetime) -> dict[int, AudienceCount]:
    """Return the counts of each list that has subscribers, by list id, in one statement.

    The frequencies that people chose are ignored.
    """
    reason = make_exclusion_reason(OuterRef("mailing_list"), now=now, frequencies=ANY_FREQUENCY)
    open_now = Subscription.objects.open().order_by()
    people = open_now.annotate(exclusion_reason=reason)
    if get_recipient_allowlist() is None:
        return _add_up(_select_few_excluded(open_now, people, now=now))
    rows = people.values("mailing_list", "exclusion_reason").annotate(people=Count("pk"))
    counted: dict[int, dict[str, int]] = {}
    for row in rows:
        counted.setdefault(row["mailing_list"], {})[row["exclusion_reason"]] = row["people"]
    return {pk: make_audience_count(by_reason) for pk, by_reason in counted.items()}


def make_audience_count(people_by_reason: Mapping[str, int]) -> AudienceCount:
    """Build the count from the number of candidates for each reason; "" means eligible people."""
    excluded = {reason: people for reason, people in sorted(people_by_reason.items()) if reason}
    may_be_mailed = people_by_reason.get("", 0)
    return AudienceCount(candidates=may_be_mailed + sum(excluded.values()), eligible=may_be_mailed, excluded=excluded)


def _count_whole_list(mailing_list: MailingList, frequencies: Set[Frequency], *, now: datetime) -> AudienceCount:
    query = _compile_whole_list(frozenset(frequencies), connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(query.sql, query.fill(moment=now, row=mailing_list.pk))
        counts = _add_up(cursor.fetchall())
    return counts.get(mailing_list.pk, make_audience_count({}))


@lru_cache(maxsize=32)
def _compile_whole_list(frequencies: frozenset[Frequency], vendor: str) -> CompiledQuery:
    any_list = MailingList(pk=ROW_PLACEHOLDER)
    open_now = Subscription.objects.filter(mailing_list=any_list).open().order_by()
    people = candidates(mailing_list=any_list, frequencies=frequencies, now=TIME_PLACEHOLDER)
    return compile_query(_select_few_excluded(open_now, people, now=TIME_PLACEHOLDER))


def _select_few_excluded(
    open_now: QuerySet[Subscription], people: QuerySet[Any], *, now: datetime
) -> QuerySet[Any, _CountedReason]:
    """Count subscriptions from an index alone, and find the reason only of those that can have one. One statement.

    ``people`` are the subscriptions ``open_now``, with their ``exclusion_reason``.
    """
    concerned = people.filter(pk__in=find_possibly_excluded(now)).exclude(exclusion_reason="")
    reasons = concerned.values_list("mailing_list", "exclusion_reason").annotate(people=Count("pk"))
    totals = open_now.annotate(exclusion_reason=Value(_ALL)).values_list("mailing_list", "exclusion_reason")
    counted: QuerySet[Any, _CountedReason] = totals.annotate(people=Count("pk")).union(reasons, all=True)
    return counted


def _add_up(rows: Iterable[_CountedReason]) -> dict[int, AudienceCount]:
    counted: dict[int, dict[str, int]] = {}
    for mailing_list, reason, people in rows:
        counted.setdefault(mailing_list, {})[reason] = people
    counts = {}
    for pk, by_reason in counted.items():
        everybody = by_reason.pop(_ALL)
        counts[pk] = make_audience_count({**by_reason, "": everybody - sum(by_reason.values())})
    return counts


def find_possibly_excluded(now: datetime) -> QuerySet[Any]:
    """Return the ids of all open subscriptions that any reason can exclude, each condition by its own index.

    A reason that `make_exclusion_reason` knows and that has no condition here would not be counted. The list is no condition:
    SQLite would read all of its subscriptions instead of an index of few.
    """
    first, *queries = _find_by_condition(now)
    return first.union(*queries)


def is_excluding_many(now: datetime, *, limit: int) -> bool:
    """Return True if `find_possibly_excluded` has more ids than ``limit``. Nothing is read beyond the limit.

    An id counts once for each condition that it meets.
    """
    return finds_row(_find_beyond, limit, now=now)


def _find_beyond(now: datetime, limit: int) -> QuerySet[Any]:
    first, *queries = _find_by_condition(now)
    return first.union(*queries, all=True)[limit : limit + 1]


def _find_by_condition(now: datetime) -> list[QuerySet[Any]]:
    suppressed = Subscriber.objects.filter(address_hash__in=Suppression.objects.live().values("address_hash"))
    conditions = (
        NOT_CONFIRMED,
        Q(expires_at__isnull=False, expires_at__lte=now),
        Q(subscriber__in=suppressed.values("pk")),
        Q(subscriber__in=StayQuestion.objects.resting().order_by().values("subscriber")),
        PAUSED_ONCE & Q(paused_until__gt=now),
        RARER,
    )
    return [Subscription.objects.open().order_by().filter(condition).values("pk") for condition in conditions]
