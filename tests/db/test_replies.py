"""A reply is recorded once, counts as a sign of life, and leaves with the person. Its text is not kept."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from newsletter.jobs.silent_people import ask_and_rest
from newsletter.models import Delivery, MailLimits, Publication, Send
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.retention import delete_old_deliveries
from subscribers.erasing.erasure import erase_person
from subscribers.models import ConsentEvent, Reply, StayQuestion, Subscriber, Subscription
from subscribers.people.describe_person import describe_person
from subscribers.people.inactivity import ANSWER_TIME, find_silent_people, subtract_months
from subscribers.people.merge import merge_people
from subscribers.people.replies import BadReply, RecordedReply, forget_replied_issue, record_reply
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_publication, make_story

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]
LONG_AGO = NOW - timedelta(days=900)
SINCE = subtract_months(NOW, 24)
TODAY = NOW.date()


@pytest.fixture
def person() -> Subscriber:
    """Return somebody who joined long ago and did nothing since."""
    (person,) = add_subscribers(make_publication(), 1)
    Subscriber.objects.update(created_at=LONG_AGO)
    Subscription.objects.update(requested_at=LONG_AGO, confirmed_at=LONG_AGO)
    return person


def reply(person: Subscriber, on: date = TODAY, *, issue: int | None = None) -> RecordedReply:
    return record_reply(
        subscriber=person, replied_on=on, issue=issue, origin=Reply.Origin.STAFF, by="kim@example.org", now=NOW
    )


def send_issue() -> Send:
    make_story("The clinic opens its doors")
    return start_send(issue=make_issue(Publication.objects.get(), approved=True), now=NOW)


@pytest.mark.parametrize(("on", "is_silent"), [(SINCE.date(), False), (SINCE.date() - timedelta(days=1), True)])
@pytest.mark.requirement("N9")
def test_a_reply_ends_silence_like_any_sign_of_life(person: Subscriber, on: date, *, is_silent: bool) -> None:
    assert find_silent_people(since=SINCE, now=NOW).exists()
    assert reply(person, on).new
    assert find_silent_people(since=SINCE, now=NOW).exists() == is_silent


@pytest.mark.requirement("N9")
def test_a_reply_after_the_question_ends_the_rest_on_record(person: Subscriber) -> None:
    asked_at = NOW - ANSWER_TIME
    question = {"mailing_list": Publication.objects.get().mailing_list, "asked_at": asked_at, "sent_at": asked_at}
    StayQuestion.objects.create(subscriber=person, resting_since=NOW, **question)
    assert reply(person, asked_at.date()).ended_rest
    assert not StayQuestion.objects.open().exists()
    event = ConsentEvent.objects.get(kind="preferences")
    assert (event.by, event.data) == ("kim@example.org", {"stays": True})
    assert not reply(person).ended_rest


def test_an_earlier_reply_that_is_recorded_late_ends_the_rest_too(person: Subscriber) -> None:
    MailLimits.objects.create(pk=1, silent_months=24)
    ask_and_rest(now=NOW - ANSWER_TIME)
    StayQuestion.objects.update(sent_at=NOW - ANSWER_TIME)
    ask_and_rest(now=NOW)
    assert StayQuestion.objects.resting().exists()
    assert not reply(person, SINCE.date() - timedelta(days=1)).ended_rest
    ask_and_rest(now=NOW)
    assert StayQuestion.objects.resting().exists()
    assert not reply(person, SINCE.date() + timedelta(days=1)).ended_rest
    ask_and_rest(now=NOW)
    assert not StayQuestion.objects.open().exists()


def test_a_reply_of_tomorrow_is_refused(person: Subscriber) -> None:
    with pytest.raises(BadReply, match="has not come yet"):
        reply(person, TODAY + timedelta(days=1))


@pytest.mark.django_db(transaction=True)
def test_a_reply_to_an_issue_counts_once_whatever_its_day(person: Subscriber) -> None:
    with pytest.raises(BadReply, match="was not sent to this person"):
        reply(person, issue=99)
    issue = send_issue().issue_id
    assert reply(person, issue=issue).new
    assert not reply(person, TODAY - timedelta(days=1), issue=issue).new
    assert reply(person).new
    assert not reply(person).new
    assert sorted(Reply.objects.values_list("issue", flat=True), key=str) == [issue, None]


@pytest.mark.parametrize("changes", [{"origin": "dream"}, {"by": ""}, {"issue": 7}, {"issue": None}])
def test_the_database_refuses_a_reply_twice_or_of_nobody(person: Subscriber, changes: dict[str, object]) -> None:
    fields = {"subscriber": person, "replied_on": TODAY, "origin": "staff", "by": "kim", "recorded_at": NOW}
    Reply.objects.create(**fields, issue=7)
    Reply.objects.create(**fields)
    with pytest.raises(IntegrityError), transaction.atomic():
        Reply.objects.create(**fields | {"replied_on": TODAY if changes == {"issue": None} else LONG_AGO} | changes)


def test_an_erasure_deletes_replies_and_an_export_contains_them(person: Subscriber) -> None:
    reply(person)
    (told,) = describe_person(person, now=NOW)["replies"]  # type: ignore[misc]
    assert (told["replied_on"], told["origin"]) == (TODAY.isoformat(), "staff")
    erase_person(subscriber=person, by="kim", now=NOW)
    assert not Reply.objects.exists()


def test_merging_keeps_the_replies_of_both_records_once(person: Subscriber) -> None:
    (other,) = add_subscribers(Publication.objects.get(), 1, start=7)
    yesterday = TODAY - timedelta(days=1)
    for who, days in ((person, [TODAY]), (other, [TODAY, yesterday])):
        for day in days:
            reply(who, day)
    merge_people(keep=person, absorb=other, now=NOW)
    kept = Reply.objects.order_by("replied_on").values_list("subscriber", "replied_on")
    assert list(kept) == [(person.pk, yesterday), (person.pk, TODAY)]


@pytest.mark.django_db(transaction=True)
def test_which_issue_was_replied_to_is_forgotten_after_90_days(person: Subscriber) -> None:
    send = send_issue()
    reply(person, issue=send.issue_id)
    Send.objects.update(state=Send.State.SUBMITTED, ended_at=NOW)
    delete_old_deliveries(now=NOW + timedelta(days=89))
    assert Reply.objects.get().issue == send.issue_id
    delete_old_deliveries(now=NOW + timedelta(days=91))
    assert not Delivery.objects.exists()
    assert (Reply.objects.get().issue, Reply.objects.get().replied_on) == (None, TODAY)


def test_two_replies_of_one_day_become_one_when_issues_are_forgotten(person: Subscriber) -> None:
    for issue in (7, 8):
        Reply.objects.create(
            subscriber=person, replied_on=TODAY, issue=issue, origin="api", by="Help desk", recorded_at=NOW
        )
    for issue in (7, 8):
        forget_replied_issue(issue)
    assert Reply.objects.get().issue is None
