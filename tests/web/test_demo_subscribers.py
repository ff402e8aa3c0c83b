"""The sample list holds every kind of person that a receipt tells apart, and as many as were asked for."""

import tomllib
from datetime import UTC, datetime

import pytest

from newsletter.demo.sample_content import write_organisation
from newsletter.demo.sample_subscribers import MIN_REALISTIC, FilledList, fill_list, fill_realistic_list
from subscribers.audience.counting import count_audience
from subscribers.models import EndReason, Subscription
from tests.support.people import make_list

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 4, 11, 30, tzinfo=UTC)


def fill(people: int):
    weekly = make_list(name="Weekly")
    return weekly, fill_realistic_list(mailing_list=weekly, people=people, by="kim", now=NOW)


def test_the_demo_list_has_the_requested_size_and_every_exclusion() -> None:
    weekly, joined = fill(400)
    assert joined == FilledList(subscriber_count=400, waiting=10, suppressed=6, unsubscribed=9)
    count = count_audience(mailing_list=weekly, now=NOW)
    assert (count.candidates, count.eligible) == (400, 384)
    assert count.excluded == {"suppressed:hard": 4, "suppressed:soft_limit": 2, "unconfirmed": 10}


def test_people_who_left_or_complained_are_off_the_list_for_that_reason() -> None:
    fill(400)
    ended = Subscription.objects.filter(ended_at=NOW)
    assert ended.filter(end_reason=EndReason.UNSUBSCRIBE).count() == 8
    assert ended.filter(end_reason=EndReason.COMPLAINT).count() == 1


def test_the_sample_weekly_letter_goes_to_its_whole_list() -> None:
    publications = tomllib.loads(write_organisation(site="http://127.0.0.1"))["publication"]
    weekly = next(row for row in publications if row["slug"] == "weekly")
    assert "segment" not in weekly


@pytest.mark.parametrize(("people", "excluded"), [(1, 0), (MIN_REALISTIC - 1, 0), (MIN_REALISTIC, 3), (60, 4)])
def test_a_small_list_keeps_its_number_too(people: int, excluded: int) -> None:
    weekly, joined = fill(people)
    count = count_audience(mailing_list=weekly, now=NOW)
    assert (joined.subscriber_count, count.candidates, sum(count.excluded.values())) == (people, people, excluded)


def test_a_list_filled_plainly_can_be_mailed_whole() -> None:
    weekly = make_list(name="Weekly")
    assert fill_list(mailing_list=weekly, people=12, by="kim", now=NOW) == FilledList(subscriber_count=12)
    assert count_audience(mailing_list=weekly, now=NOW).eligible == 12
