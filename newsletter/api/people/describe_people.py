"""Describe people for the API, read for a page of them with three queries that are compiled once."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db.models import Value

from newsletter.api.people.people_schemas import PersonAnswer, SubscriptionAnswer
from newsletter.common.database.prepared_rows import PreparedRows
from newsletter.models import ApiKey
from subscribers.addresses.normalise import mask
from subscribers.models import Subscriber, SubscriberAttribute, Subscription

_PERSON = (
    "email",
    "name",
    "place__country",
    "place__region",
    "place__town",
    "radius_km",
    "language",
    "giving",
    "timezone",
    "source",
    "created_at",
)
_SUBSCRIPTION = ("mailing_list__slug", "basis", "requested_at", "confirmed_at", "frequency", "paused_until")
_PEOPLE = PreparedRows(lambda ids: Subscriber.objects.filter(pk__in=ids).order_by().values_list("pk", *_PERSON))
_TOPIC, _ATTRIBUTE = "topic", "attribute"
_PARTS = PreparedRows(
    lambda ids: (
        Subscriber.topics.through.objects.filter(subscriber__in=ids)
        .order_by()
        .values_list("subscriber", Value(_TOPIC), "topic__slug", Value(""))
        .union(
            SubscriberAttribute.objects.filter(subscriber__in=ids)
            .order_by()
            .values_list("subscriber", Value(_ATTRIBUTE), "key", "value"),
            all=True,
        )
    )
)
"""What a person has several of, as (subscriber, kind, slug or key, value): one query instead of two."""
_SUBSCRIPTIONS = PreparedRows(
    lambda ids: (
        Subscription.objects.filter(subscriber__in=ids)
        .open()
        .order_by("pk")
        .values_list("subscriber", "mailing_list", *_SUBSCRIPTION)
    )
)


def describe_people(key: ApiKey, ids: Sequence[int]) -> list[PersonAnswer]:
    """Return these people in this order, with their subscriptions to the lists that the key may use.

    The caller has checked that the key may see them. A person who was deleted meanwhile is missing.
    """
    people = {row[0]: row[1:] for row in _PEOPLE.read(ids)}
    parts: defaultdict[tuple[int, str], list[Any]] = defaultdict(list)
    for subscriber, kind, *values in _PARTS.read(ids):
        parts[subscriber, kind].append(values)
    subscriptions = _group(_SUBSCRIPTIONS, ids)
    lists = None if key.all_lists else set(key.lists.values_list("pk", flat=True))
    return [
        _describe(
            pk,
            people[pk],
            topics=sorted(slug for slug, _ in parts[pk, _TOPIC]),
            attributes=dict(sorted(parts[pk, _ATTRIBUTE])),
            subscriptions=[row[1:] for row in subscriptions[pk] if lists is None or row[0] in lists],
        )
        for pk in ids
        if pk in people
    ]


def _group(rows: PreparedRows, ids: Sequence[int]) -> dict[int, list[Any]]:
    grouped: defaultdict[int, list[Any]] = defaultdict(list)
    for subscriber, *values in rows.read(ids):
        grouped[subscriber].append(values)
    return grouped


def _describe(
    pk: int,
    row: Sequence[Any],
    *,
    topics: list[str],
    attributes: dict[str, str],
    subscriptions: list[Sequence[Any]],
) -> PersonAnswer:
    email, name, country, region, town, radius_km, language, giving, timezone, source, created_at = row
    return PersonAnswer(
        id=pk,
        email_hint=mask(email),
        name=name,
        country=country or "",
        region=region or "",
        city=town or "",
        radius_km=radius_km,
        language=language,
        giving=giving,
        timezone=timezone,
        topics=topics,
        attributes=attributes,
        source=source,
        created_at=created_at,
        subscriptions=[
            SubscriptionAnswer(
                list=slug,
                basis=basis,
                requested_at=requested_at,
                confirmed_at=confirmed_at,
                frequency=frequency,
                paused_until=paused_until,
            )
            for slug, basis, requested_at, confirmed_at, frequency, paused_until in subscriptions
        ],
    )
