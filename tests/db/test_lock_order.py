"""People are locked before rows about them, so that nobody waits in a circle. Only PostgreSQL locks single rows."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction

from subscribers.consent import signup
from subscribers.consent.signup import ConfirmationResult, SignupRequest, confirm_subscription, request_subscription
from subscribers.erasing.erasure import erase_person
from subscribers.identity import identify
from subscribers.links.signed_links import LinkTarget
from subscribers.models import (
    Basis,
    Confirmation,
    MailedLink,
    MailingList,
    Reason,
    Reply,
    StayQuestion,
    Subscriber,
    Subscription,
    Suppression,
)
from subscribers.people import bulk_actions, change_address, inactivity
from subscribers.people.bulk_actions import take_off_list
from subscribers.people.change_address import confirm_address_change, request_address_change
from subscribers.people.inactivity import ask_silent_people
from subscribers.people.mailed_links import Kind
from subscribers.unsubscribing.suppression import suppress
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_list
from tests.support.api import call, create_key
from tests.support.fixtures import make_publication
from tests.support.meanwhile import run_meanwhile, start_in_thread
from tests.support.people import NOW, make_list, make_member, make_person, subscribe

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time"),
]
ADDRESS, NEW_ADDRESS = "ann@example.org", "ann.new@example.org"


def erase() -> None:
    erase_person(subscriber=Subscriber.objects.get(), by="", now=NOW)


def unsubscribe() -> bool:
    return unsubscribe_from_list(subscriber=Subscriber.objects.get(), mailing_list=MailingList.objects.get(), now=NOW)


def test_a_confirmation_and_an_old_unsubscribe_link_at_once_both_succeed(monkeypatch: pytest.MonkeyPatch) -> None:
    weekly, person = make_list(), make_person(ADDRESS)
    suppress(address_hash=bytes(person.address_hash), reason=Reason.UNSUBSCRIBE, now=NOW, mailing_list=weekly)
    subscribe(person, weekly, basis=Basis.DOUBLE_OPT_IN)
    target = LinkTarget(person.uuid, weekly.public_id, NOW)
    with ThreadPoolExecutor(1) as pool:
        started = run_meanwhile(monkeypatch, signup, "remove_own_suppressions", unsubscribe, pool)
        assert confirm_subscription(target=target, now=NOW) is ConfirmationResult.NOW
        assert [each.result(timeout=60) for each in started] == [True]
    assert not Subscription.objects.open().exists()
    assert Suppression.objects.live().get().reason == Reason.UNSUBSCRIBE


def test_staff_who_take_people_off_a_list_wait_for_nobody_in_a_circle(monkeypatch: pytest.MonkeyPatch) -> None:
    weekly = make_list()
    person = make_member(weekly, ADDRESS)
    with ThreadPoolExecutor(1) as pool:
        started = run_meanwhile(monkeypatch, bulk_actions, "record_consent_events", erase, pool)
        assert take_off_list(people=[person.pk], mailing_list=weekly, by="kim", now=NOW) == 1
        assert [each.exception(timeout=60) for each in started] == [None]
    assert not Subscription.objects.open().exists()


def test_the_api_records_nothing_of_who_left_its_lists_while_it_waited() -> None:
    weekly = make_list()
    person = make_member(weekly, ADDRESS)
    key = create_key("people:write people:read", lists=[weekly])

    def record_reply() -> int:
        return int(call("post", f"people/{person.pk}/replies", {"replied_on": "2026-03-02"}, key=key).status_code)

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Subscriber.objects.select_for_update().get()
            started = start_in_thread(pool, record_reply)
            assert not started.done()
            unsubscribe()
        assert started.result(timeout=60) == 404
    assert not Reply.objects.exists()


def test_the_question_to_silent_people_skips_anyone_just_erased(monkeypatch: pytest.MonkeyPatch) -> None:
    weekly, long_ago = make_publication().mailing_list, NOW - timedelta(days=900)
    for email in (ADDRESS, "bea@example.org"):
        subscribe(make_person(email, created_at=long_ago), weekly, requested_at=long_ago)

    def erase_ann() -> None:
        erase_person(subscriber=Subscriber.objects.get(email=ADDRESS), by="", now=NOW)

    with ThreadPoolExecutor(1) as pool:
        started = run_meanwhile(monkeypatch, inactivity, "_find_oldest_list", erase_ann, pool)
        assert ask_silent_people(since=NOW - timedelta(days=365), per_day=10, now=NOW) == 2
        assert [each.exception(timeout=60) for each in started] == [None]
    assert StayQuestion.objects.get().subscriber.email == "bea@example.org"


def test_asking_for_a_new_address_waits_for_nobody_in_a_circle(monkeypatch: pytest.MonkeyPatch) -> None:
    weekly = make_list()
    person = make_member(weekly, ADDRESS)
    link = MailedLink.objects.create(
        subscriber=person, mailing_list=weekly, kind=Kind.CHANGE_ADDRESS, asked_at=NOW, sent_at=NOW
    )
    with ThreadPoolExecutor(1) as pool:
        started = run_meanwhile(monkeypatch, change_address, "use_confirmation_quota", erase, pool)
        assert request_address_change(link=link, email=NEW_ADDRESS, now=NOW) == NEW_ADDRESS
        assert [each.exception(timeout=60) for each in started] == [None]
    assert not Subscriber.objects.exists()


def test_a_move_to_an_address_that_has_just_signed_up_merges_both(monkeypatch: pytest.MonkeyPatch) -> None:
    weekly, events = make_list(), make_list("events")
    person = make_member(weekly, ADDRESS)
    link = MailedLink.objects.create(
        subscriber=person,
        mailing_list=weekly,
        kind=Kind.CONFIRM_ADDRESS,
        new_email=NEW_ADDRESS,
        asked_at=NOW,
        sent_at=NOW,
    )

    def sign_up() -> object:
        return request_subscription(
            SignupRequest(email=NEW_ADDRESS, mailing_list=events, wording="Yes", source="form"), now=NOW
        )

    with ThreadPoolExecutor(1) as pool:
        started = run_meanwhile(monkeypatch, change_address, "is_all_mail_blocked", sign_up, pool)
        assert confirm_address_change(link=link, now=NOW) == person
        assert [each.exception(timeout=60) for each in started] == [None]
    assert bytes(Subscriber.objects.get().address_hash) == identify(NEW_ADDRESS)
    assert {row.mailing_list for row in Subscription.objects.open()} == {weekly, events}
    assert [due.mailing_list for due in Confirmation.objects.unsent()] == [events]
