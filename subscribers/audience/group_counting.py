"""Group all people of a list by their stored data, and count them from an index of everybody.

Everybody is counted as if nothing concerned them. Those whom something may exclude, or who chose a rarer frequency, are
subtracted from these groups, and the eligible ones are added to their own. One statement does all of it. It is faster than
to look at each person only if these are few, so `can_group_by_index` counts them first.
"""

from collections import Counter
from collections.abc import Sequence, Set
from datetime import datetime
from functools import lru_cache
from typing import Any, Unpack

from django.db import connection
from django.db.models import CharField, Count, Exists, F, OuterRef, QuerySet, Value

from newsletter.common.database.compiled_query import ROW_PLACEHOLDER, TIME_PLACEHOLDER, CompiledQuery, compile_query
from newsletter.common.database.sqlite_pragmas import larger_sqlite_cache
from subscribers.audience.counting import excludes_few, find_possibly_excluded, is_excluding_many
from subscribers.audience.eligibility import AudienceFilters, eligible
from subscribers.audience.recipient_allowlist import RecipientAllowlist, get_recipient_allowlist
from subscribers.audience.zones import choose_zone
from subscribers.models import Frequency, MailingList, Subscriber, SubscriberLocation, Subscription

_FIELDS = ("place_id", "giving", "radius_km")
_FIELDS_WITH_ZONE = (*_FIELDS, "timezone")
"""Fields of a person in the order of the index ``subscriber_groups``, so that SQLite sorts nobody to group them."""
_SMALLEST_SHARE = 3
"""On SQLite, a list with less than a third of all people is counted faster by reading its people one by one."""
_MAX_FEW = {"sqlite": 10, "postgresql": 50}
"""If something may exclude more than a tenth or a fiftieth of the list, its people are counted faster one by one."""

Group = tuple[str, int, str, int, str]
"""A zone, the id of a place or 0, the giving, a radius in km or 0, and a frequency."""


def can_group_by_index(*, now: datetime, **filters: Unpack[AudienceFilters]) -> bool:
    """Return True if `count_groups_of_list` counts what `eligible` selects by these arguments, and is faster."""
    return excludes_few(**filters) and _is_faster_by_index(filters["mailing_list"], now=now)


def count_groups_of_list(
    *, mailing_list: MailingList, frequencies: Set[Frequency], now: datetime, default_zone: str = ""
) -> dict[Group, int]:
    """Return how many people of a whole list are eligible at ``now``, by group. Without a default, each zone is ""."""
    fields = _FIELDS_WITH_ZONE if default_zone else _FIELDS
    query = _compile_counts(fields, frozenset(frequencies), get_recipient_allowlist(), connection.vendor)
    with larger_sqlite_cache(megabytes=16), connection.cursor() as cursor:
        cursor.execute(query.sql, query.fill(moment=now, row=mailing_list.pk))
        counted = cursor.fetchall()
    zones = dict(SubscriberLocation.objects.values_list("pk", "zone")) if default_zone else {}
    groups: Counter[Group] = Counter()
    for place, giving, radius, *stated, is_added, frequency, people in counted:
        zone = choose_zone(zones.get(place, ""), *stated, default=default_zone)
        groups[zone, place or 0, giving, radius or 0, frequency] += people if is_added else -people
    return {group: people for group, people in groups.items() if people}


@lru_cache(maxsize=32)
def _compile_counts(
    fields: tuple[str, ...], frequencies: frozenset[Frequency], _only_to: RecipientAllowlist | None, _vendor: str
) -> CompiledQuery:
    """Compile rows of the fields, 1 for people to add and 0 for those to subtract, a frequency and a number of people.

    The query depends on all four arguments.
    """
    any_list = MailingList(pk=ROW_PLACEHOLDER)
    on_list = Subscription.objects.open().filter(mailing_list=any_list).order_by()
    few = find_possibly_excluded(TIME_PLACEHOLDER)
    everybody = Subscriber.objects.filter(Exists(on_list.filter(subscriber=OuterRef("pk")))).order_by()
    fit = eligible(mailing_list=any_list, frequencies=frequencies, now=TIME_PLACEHOLDER).filter(pk__in=few).order_by()
    every_issue = Value(Frequency.EVERY, output_field=CharField())
    of_subscription = [f"subscriber__{name}" for name in fields]
    counts = _count(everybody.annotate(is_added=Value(1), chosen=every_issue), fields).union(
        _count(on_list.filter(pk__in=few).annotate(is_added=Value(0), chosen=every_issue), of_subscription),
        _count(fit.annotate(is_added=Value(1), chosen=F("frequency")), of_subscription),
        all=True,
    )
    return compile_query(counts)


def _count(people: QuerySet[Any], fields: Sequence[str]) -> QuerySet[Any, tuple[Any, ...]]:
    counted: QuerySet[Any, tuple[Any, ...]] = people.values_list(*fields, "is_added", "chosen").annotate(
        people=Count("pk")
    )
    return counted


def _is_faster_by_index(mailing_list: MailingList, *, now: datetime) -> bool:
    """Return True if something may exclude few people only, and on SQLite, if many of all people are on the list."""
    on_list = Subscription.objects.open().filter(mailing_list=mailing_list).count()
    if connection.vendor == "sqlite" and on_list <= Subscriber.objects.count() // _SMALLEST_SHARE:
        return False
    return not is_excluding_many(now, limit=_round_down(on_list // _MAX_FEW[connection.vendor]))


def _round_down(number: int) -> int:
    """Return the number with two digits and zeros, so that a list that grows compiles few queries."""
    step: int = 10 ** max(len(str(number)) - 2, 0)
    return number - number % step
