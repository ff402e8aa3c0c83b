"""The bench makes the same people on both databases, though PostgreSQL makes them itself."""

from datetime import timedelta

import pytest

from newsletter.bench.audience import TOWNS, _make_rows, make_audience
from subscribers.models import Subscriber, SubscriberLocation, Subscription

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


def test_the_people_of_a_bench_are_the_same_on_both_databases() -> None:
    make_audience(2 * len(TOWNS) + 3, signup_days=4)
    people = Subscriber.objects.order_by("pk")
    places = list(SubscriberLocation.objects.order_by("pk").values_list("pk", flat=True))
    newest = max(person.created_at for person in people)
    (expected,) = _make_rows(len(people), places, newest, 4)
    assert expected == [
        (
            person.pk,
            person.uuid.hex,
            person.email,
            bytes(person.address_hash),
            person.name,
            person.place_id,
            person.created_at,
        )
        for person in people
    ]
    assert {newest - person.created_at for person in people} == {timedelta(days=day) for day in range(4)}
    assert {(one.language, one.giving, one.timezone, one.source) for one in people} == {("en", "none", "", "")}
    assert Subscription.objects.filter(basis="consent", ended_at=None).count() == len(people)
