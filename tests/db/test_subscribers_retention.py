"""Retention periods, checked by moving the clock."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from subscribers.confirmation_quota import use_confirmation_quota
from subscribers.consent.confirmations import queue_confirmation
from subscribers.consent.held_signups import hold_signup
from subscribers.consent.signup import SignupRequest, SignupResult, request_subscription
from subscribers.consent.throttle import increment_counter
from subscribers.erasing import retention
from subscribers.erasing.retention import PurgeCounts, purge_expired_data
from subscribers.models import (
    Basis,
    ConfirmationQuota,
    ConsentEvent,
    EndReason,
    EventKind,
    HeldSignup,
    MailedLink,
    RateCounter,
    Reason,
    SpentProof,
    Subscriber,
    Subscription,
    Suppression,
)
from subscribers.people.mailed_links import Kind, request_mailed_link
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_all, unsubscribe_from_list
from tests.support.people import NOW, make_list, make_member, make_person, subscribe
from tests.support.webhooks import make_endpoint

pytestmark = [pytest.mark.postgres, pytest.mark.django_db, pytest.mark.requirement("C3")]
WEEK, MINUTE = timedelta(days=7), timedelta(minutes=1)


@pytest.mark.requirement("P8")
def test_people_who_never_confirm_are_gone_after_seven_days_and_not_before() -> None:
    weekly = make_list()
    subscribe(make_person(), weekly, basis=Basis.DOUBLE_OPT_IN)
    assert purge_expired_data(now=NOW + WEEK) == PurgeCounts(unconfirmed=0, requests=0, left=0)
    assert purge_expired_data(now=NOW + WEEK + MINUTE).unconfirmed == 1
    assert not Subscriber.objects.exists()
    assert ConsentEvent.objects.get().source == "retention ended: never confirmed"


def test_a_person_asked_again_keeps_the_time_of_the_last_mail() -> None:
    weekly, ada = make_list(), make_person()
    subscribe(ada, weekly, basis=Basis.DOUBLE_OPT_IN)
    queue_confirmation(subscriber=ada, mailing_list=weekly, now=NOW + timedelta(days=5))
    assert purge_expired_data(now=NOW + timedelta(days=8)) == PurgeCounts(0, 0, 0)
    assert purge_expired_data(now=NOW + timedelta(days=12, minutes=1)).unconfirmed == 1


def test_members_lose_only_the_request_that_they_never_confirmed() -> None:
    weekly, events = make_list(), make_list("events")
    subscribe(make_member(weekly), events, basis=Basis.DOUBLE_OPT_IN)
    assert purge_expired_data(now=NOW + WEEK + MINUTE) == PurgeCounts(unconfirmed=0, requests=1, left=0)
    assert Subscription.objects.get(mailing_list=events).end_reason == EndReason.EXPIRED
    assert Subscription.objects.mailable().count() == 1


@pytest.mark.requirement("P8")
def test_28_days_after_the_last_list_was_left_only_the_hash_stays() -> None:
    weekly, events = make_list(), make_list("events")
    ada = make_member(weekly)
    subscribe(ada, events)
    unsubscribe_from_list(subscriber=ada, mailing_list=weekly, now=NOW)
    assert purge_expired_data(now=NOW + timedelta(days=40)).left == 0
    unsubscribe_from_all(subscriber=ada, now=NOW + timedelta(days=40))
    assert purge_expired_data(now=NOW + timedelta(days=68)).left == 0
    assert purge_expired_data(now=NOW + timedelta(days=68, minutes=1)).left == 1
    assert not Subscriber.objects.exists()
    assert Suppression.objects.filter(reason=Reason.UNSUBSCRIBE).count() == 2


@pytest.mark.requirement("P8")
def test_people_of_an_undone_import_are_deleted_like_unsubscribed_ones() -> None:
    subscribe(make_person(), make_list(), ended_at=NOW, end_reason=EndReason.IMPORT_UNDONE)
    assert purge_expired_data(now=NOW + timedelta(days=28)).left == 0
    assert purge_expired_data(now=NOW + timedelta(days=28, minutes=1)).left == 1
    assert not Subscriber.objects.exists()


def test_people_whom_staff_took_off_are_not_forgotten_by_the_calendar() -> None:
    weekly = make_list()
    subscribe(make_person(), weekly, ended_at=NOW, end_reason=EndReason.STAFF)
    assert purge_expired_data(now=NOW + timedelta(days=400)) == PurgeCounts(0, 0, 0)


def test_many_people_are_deleted_in_as_many_statements_as_few() -> None:
    weekly, counts = make_list(), []
    for people in (2, 40):
        for number in range(people):
            ended = {"ended_at": NOW, "end_reason": EndReason.UNSUBSCRIBE}
            subscribe(make_person(f"person{number}@example.org"), weekly, **ended)
        with CaptureQueriesContext(connection) as queries:
            assert purge_expired_data(now=NOW + timedelta(days=29)).left == people
        assert not Subscriber.objects.exists()
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_round_takes_several_transactions_and_reports_each_person(monkeypatch: pytest.MonkeyPatch) -> None:
    weekly, endpoint = make_list(), make_endpoint(kinds=[EventKind.PERSON_ERASED])
    people = [make_person(f"person{number}@example.org") for number in range(7)]
    for person in people:
        subscribe(person, weekly, ended_at=NOW, end_reason=EndReason.UNSUBSCRIBE)
    monkeypatch.setattr(retention, "BATCH_SIZE", 3)
    monkeypatch.setattr(retention, "MAX_PEOPLE", 5)
    assert [purge_expired_data(now=NOW + timedelta(days=29)).left for _ in range(3)] == [5, 2, 0]
    assert set(endpoint.deliveries.values_list("person", flat=True)) == {person.pk for person in people}
    erased = ConsentEvent.objects.filter(kind="erased")
    assert {event.source for event in erased} == {"retention ended: unsubscribed 28 days ago"}
    assert {bytes(event.address_hash) for event in erased} == {bytes(person.address_hash) for person in people}


def test_a_round_ends_more_old_requests_than_one_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    weekly, events = make_list(), make_list("events")
    for number in range(7):
        subscribe(make_member(weekly, f"person{number}@example.org"), events, basis=Basis.DOUBLE_OPT_IN)
    monkeypatch.setattr(retention, "BATCH_SIZE", 3)
    assert purge_expired_data(now=NOW + WEEK + MINUTE).requests == 7
    assert Subscription.objects.filter(mailing_list=events, end_reason=EndReason.EXPIRED).count() == 7


def test_somebody_who_joins_again_before_their_lock_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    weekly = make_list()
    ann, ben = make_person("ann@example.org"), make_person("ben@example.org")
    for person in (ann, ben):
        subscribe(person, weekly, ended_at=NOW, end_reason=EndReason.UNSUBSCRIBE)
    monkeypatch.setattr(retention, "lock_ids_to_delete", lambda ids: subscribe(ann, weekly))
    assert purge_expired_data(now=NOW + timedelta(days=29)).left == 1
    assert list(Subscriber.objects.all()) == [ann]


def test_rows_kept_for_counts_and_requests_are_deleted_too() -> None:
    weekly = make_list()
    ada = make_member(weekly)
    hold_signup(
        SignupRequest(email="bea@example.org", mailing_list=weekly, wording="yes", source="page"),
        reason="many",
        now=NOW,
    )
    request_mailed_link(subscriber=ada, mailing_list=weekly, kind=Kind.DOWNLOAD, now=NOW)
    increment_counter("site", now=NOW)
    use_confirmation_quota("bea@example.org", now=NOW)
    SpentProof.objects.create(digest=bytes(32), expires_at=NOW)
    purge_expired_data(now=NOW + MINUTE)
    assert [
        model.objects.count() for model in (HeldSignup, MailedLink, RateCounter, ConfirmationQuota, SpentProof)
    ] == [1, 1, 1, 1, 0]
    purge_expired_data(now=NOW + timedelta(days=8))
    assert [model.objects.count() for model in (HeldSignup, MailedLink, RateCounter, ConfirmationQuota)] == [0, 0, 0, 1]
    purge_expired_data(now=NOW + timedelta(days=181))
    assert not ConfirmationQuota.objects.exists()


def test_a_person_deleted_unasked_may_ask_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH_SIZE", 1)
    weekly, events = make_list(), make_list("events")
    for email in ("ada@example.org", "bea@example.org"):
        for mailing_list, day in ((weekly, 0), (events, 2), (make_list(email[:3]), 4)):
            request = SignupRequest(mailing_list=mailing_list, email=email, wording="Yes", source="page")
            assert request_subscription(request, now=NOW + timedelta(days=day)) is SignupResult.ASKED
    later = NOW + timedelta(days=12)
    assert purge_expired_data(now=later).unconfirmed == 2
    request = SignupRequest(mailing_list=weekly, email="ada@example.org", wording="Yes", source="page")
    assert request_subscription(request, now=later) is SignupResult.ASKED
    assert sorted(ConfirmationQuota.objects.values_list("request_count", flat=True)) == [0, 1]
