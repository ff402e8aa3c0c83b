"""The count and the examples of the desk's preview: exact where there is time, said to be an estimate where there is not."""

import pytest
from django.db import OperationalError, connection

from subscribers.models import Subscriber
from subscribers.segments import count
from subscribers.segments.count import QueryTimeout, count_people, preview_people, query_time_limit
from subscribers.segments.membership import for_few_people, subscriber_in
from tests.support.people import make_list, make_person, subscribe

pytestmark = pytest.mark.django_db


def make_people(number: int) -> list[Subscriber]:
    return [make_person(f"p{n}@example.org", source="fair" if n % 2 else "web") for n in range(number)]


def test_a_preview_shows_at_most_twenty_people_and_none_of_under_five() -> None:
    make_people(50)
    look = preview_people({"source": "fair"})
    assert (look.people, look.exact, len(look.examples)) == (25, True, 20)
    assert {person.source for person in look.examples} == {"fair"}
    Subscriber.objects.filter(source="fair").exclude(pk__in=Subscriber.objects.filter(source="fair")[:4]).delete()
    look = preview_people({"source": "fair"})
    assert (look.people, look.examples) == (4, [])


def test_a_slow_count_is_shown_as_an_estimate_of_two_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    mailing_list = make_list()
    for person in make_people(301):
        subscribe(person, mailing_list)
    monkeypatch.setattr(count, "query_time_limit", too_slow)
    look = preview_people({"list": "weekly"})
    assert (look.people, look.exact, len(look.examples)) == (300, False, 20)
    assert preview_people({"all": [{"list": "weekly"}, {"source": "fair"}]}).people == 150
    nobody = preview_people({"source": "nowhere"})
    assert (nobody.people, nobody.exact, nobody.examples) == (0, False, [])


def test_an_estimate_of_nobody_at_all_is_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(count, "query_time_limit", too_slow)
    assert preview_people({}).people == 0


def test_the_count_stays_exact_if_only_the_examples_take_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    make_people(12)
    limits = iter([query_time_limit, too_slow])
    monkeypatch.setattr(count, "query_time_limit", lambda milliseconds: next(limits)(milliseconds))
    look = preview_people({"source": "web"})
    assert (look.people, look.exact, len(look.examples)) == (6, True, 6)


def test_the_database_stops_a_query_at_its_time_limit() -> None:
    slow = (
        "SELECT pg_sleep(5)"
        if connection.vendor == "postgresql"
        else "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n) SELECT COUNT(*) FROM n LIMIT 1"
    )
    with pytest.raises(QueryTimeout), query_time_limit(50), connection.cursor() as cursor:
        cursor.execute(slow)
    make_people(1)
    assert count_people({}) == 1
    with query_time_limit(5_000):
        assert count_people({}) == 1
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == ("0",)


def test_another_fault_of_the_database_is_not_taken_for_slowness() -> None:
    with pytest.raises(OperationalError, match="something else"), query_time_limit(1_000):
        raise OperationalError("something else")


def test_both_ways_to_ask_who_is_among_others_select_the_same_people() -> None:
    mailing_list = make_list()
    first, *_ = make_people(3)
    others = subscribe(first, mailing_list)._meta.model.objects.all()
    with for_few_people():
        probed = subscriber_in(others)
    for condition in (probed, subscriber_in(others)):
        assert [person.pk for person in Subscriber.objects.filter(condition)] == [first.pk]
        assert Subscriber.objects.exclude(condition).count() == 2


def too_slow(milliseconds: int) -> object:
    raise QueryTimeout
