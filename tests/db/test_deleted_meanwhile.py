"""A person is deleted or merged while something else changes them. SQLite has one writer, so only PostgreSQL shows it."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from types import ModuleType
from urllib.parse import urlsplit

import pytest
from django.db import connection, transaction
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from subscribers.consent import held_signups, signup
from subscribers.consent.held_signups import accept_held_signup
from subscribers.consent.signup import ConfirmationResult, SignupResult, confirm_subscription
from subscribers.erasing import erasure
from subscribers.erasing.erasure import erase_person
from subscribers.erasing.retention import purge_expired_data
from subscribers.identity import identify
from subscribers.importing.writing.undo import undo_now
from subscribers.links.signed_links import LinkTarget
from subscribers.models import (
    Basis,
    HeldSignup,
    ImportBatch,
    MailedLink,
    MailingList,
    Reason,
    Subscriber,
    Subscription,
    Suppression,
)
from subscribers.people import change_address
from subscribers.people.change_address import confirm_address_change
from subscribers.people.mailed_links import Kind, UsedLink, make_mailed_link_url
from subscribers.unsubscribing import unsubscribe
from subscribers.unsubscribing.suppression import suppress
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_all, unsubscribe_from_list
from tests.support.api import call, create_key
from tests.support.meanwhile import run_meanwhile, start_in_thread
from tests.support.people import NOW, make_list, make_member, make_person, subscribe
from tests.support.people_imports import import_text

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time"),
]
ADDRESS, OLD_ADDRESS = "ann@example.org", "ann.old@example.org"


def unsubscribe_one() -> object:
    return unsubscribe_from_list(subscriber=Subscriber.objects.get(), mailing_list=MailingList.objects.get(), now=NOW)


def leave_all() -> object:
    return unsubscribe_from_all(subscriber=Subscriber.objects.get(), now=NOW)


def confirm() -> object:
    target = LinkTarget(Subscriber.objects.get().uuid, MailingList.objects.get().public_id, NOW)
    return confirm_subscription(target=target, now=NOW)


def accept() -> object:
    return accept_held_signup(held_id=HeldSignup.objects.get().pk, now=NOW)


def erase() -> None:
    erase_person(subscriber=Subscriber.objects.get(), by="", now=NOW)


def make_unconfirmed(mailing_list: MailingList, *, days: int = 0) -> None:
    asked_at = NOW - timedelta(days=days)
    subscribe(make_person(ADDRESS), mailing_list, basis=Basis.DOUBLE_OPT_IN, requested_at=asked_at)


def hold(mailing_list: MailingList) -> None:
    values = {"email": ADDRESS, "wording": "Yes", "source": "form", "reason": "pace", "at": NOW}
    HeldSignup.objects.create(address_hash=identify(ADDRESS), mailing_list=mailing_list, **values)


def make_arrival(person: Subscriber, mailing_list: MailingList, new_email: str) -> MailedLink:
    kind = MailedLink.Kind.CONFIRM_ADDRESS
    return MailedLink.objects.create(
        subscriber=person, mailing_list=mailing_list, kind=kind, new_email=new_email, asked_at=NOW, sent_at=NOW
    )


def is_refused(work: Future[object]) -> bool:
    """Return True if the person was gone when the work began to write."""
    return work.result(timeout=60) in (False, ConfirmationResult.GONE)


@pytest.mark.parametrize("act", [unsubscribe_one, leave_all, confirm])
def test_an_erasure_ends_whatever_the_person_does_after_its_lock(
    monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]
) -> None:
    make_unconfirmed(make_list())
    with ThreadPoolExecutor(1) as pool:
        started = run_meanwhile(monkeypatch, erasure, "get_publishing_hooks", act, pool)
        erase()
        assert [is_refused(each) for each in started] == [True]
    assert not Subscriber.objects.exists()


@pytest.mark.parametrize(
    ("act", "module", "name", "result"),
    [
        (leave_all, unsubscribe, "record_consent_event", True),
        (confirm, signup, "record_consent_event", ConfirmationResult.NOW),
        (accept, held_signups, "request_subscription", SignupResult.WAITING),
    ],
)
def test_an_erasure_waits_for_what_the_person_did_before(
    monkeypatch: pytest.MonkeyPatch, act: Callable[[], object], module: ModuleType, name: str, result: object
) -> None:
    weekly = make_list()
    make_unconfirmed(weekly)
    hold(weekly)
    with ThreadPoolExecutor(1) as pool:
        started = run_meanwhile(monkeypatch, module, name, erase, pool)
        done = act()
        assert [each.result(timeout=60) for each in started] == [None]
    assert done in (result, SignupResult.ASKED)
    assert not Subscriber.objects.exists()
    assert not HeldSignup.objects.exists()


@pytest.mark.parametrize("email", [ADDRESS, OLD_ADDRESS])
def test_an_erasure_during_a_change_of_address_erases_the_result(monkeypatch: pytest.MonkeyPatch, email: str) -> None:
    weekly = make_list()
    mover = make_member(weekly, OLD_ADDRESS)
    make_member(weekly, ADDRESS)
    asked = Subscriber.objects.get(email=email)
    with ThreadPoolExecutor(1) as pool:
        work = run_meanwhile(
            monkeypatch,
            change_address,
            "record_consent_event",
            lambda: erase_person(subscriber=asked, by="", now=NOW),
            pool,
        )
        confirm_address_change(link=make_arrival(mover, weekly, ADDRESS), now=NOW)
        assert [each.result(timeout=60) for each in work] == [None]
    assert not Subscriber.objects.exists()
    erased = Suppression.objects.live().filter(reason=Reason.ERASURE).values_list("address_hash", flat=True)
    assert {identify(email), identify(ADDRESS)} == {bytes(each) for each in erased}


def test_an_erasure_by_the_api_waits_for_an_unsubscribe(monkeypatch: pytest.MonkeyPatch) -> None:
    person, key = make_member(make_list(), ADDRESS), create_key("people:erase")
    with ThreadPoolExecutor(1) as pool:
        started = run_meanwhile(
            monkeypatch,
            unsubscribe,
            "record_consent_event",
            lambda: call("delete", f"people/{person.pk}", key=key).status_code,
            pool,
        )
        assert leave_all()
        assert [each.result(timeout=60) for each in started] == [204]
    assert not Subscriber.objects.exists()


def test_a_merge_by_the_api_locks_people_in_the_order_of_ids() -> None:
    weekly, key = make_list(), create_key("people:erase people:read")
    first, second = make_member(weekly, OLD_ADDRESS), make_member(weekly, ADDRESS)

    def merge() -> int:
        body = {"absorb": first.pk, "reason": "same"}
        return int(call("post", f"people/{second.pk}/merge", body, key=key).status_code)

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Subscriber.objects.select_for_update().get(pk=first.pk)
            merging = start_in_thread(pool, merge)
            assert not merging.done()
            Subscriber.objects.select_for_update(nowait=True).get(pk=second.pk)
        assert merging.result(timeout=60) == 200
    assert Subscriber.objects.get() == second


def lift_by_api() -> object:
    key = create_key("people:write people:read")
    return call("post", f"suppressions/{Suppression.objects.get().pk}/lift", {"reason": "asked"}, key=key).status_code


def end_old_requests() -> object:
    return purge_expired_data(now=NOW).requests


def erase_by_own_link() -> object:
    link = MailedLink.objects.select_related("subscriber").get()
    return Client().post(urlsplit(make_mailed_link_url(link=link, now=timezone.now())).path).status_code


@pytest.mark.parametrize(
    ("act", "model", "result"),
    [(lift_by_api, Suppression, 200), (end_old_requests, Subscription, 1), (erase_by_own_link, MailedLink, 200)],
)
def test_the_person_is_locked_before_the_rows_about_them(
    act: Callable[[], object], model: type[Model], result: object
) -> None:
    weekly, events = make_list(), make_list("events")
    person = make_member(weekly, ADDRESS)
    asked_at = NOW - timedelta(days=8)
    subscribe(person, events, basis=Basis.DOUBLE_OPT_IN, requested_at=asked_at)
    suppress(address_hash=bytes(person.address_hash), reason=Reason.HARD, now=NOW)
    MailedLink.objects.create(subscriber=person, mailing_list=weekly, kind=Kind.ERASE, asked_at=NOW, sent_at=NOW)

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Subscriber.objects.select_for_update().get()
            started = start_in_thread(pool, act)
            assert not started.done()
            assert list(model._default_manager.select_for_update(nowait=True))
        assert started.result(timeout=60) == result


def test_the_first_of_two_people_who_swap_addresses_gets_both(monkeypatch: pytest.MonkeyPatch) -> None:
    weekly = make_list()
    first, second = make_member(weekly, OLD_ADDRESS), make_member(weekly, ADDRESS)
    links = [make_arrival(first, weekly, ADDRESS), make_arrival(second, weekly, OLD_ADDRESS)]
    with ThreadPoolExecutor(1) as pool:
        started = run_meanwhile(
            monkeypatch,
            change_address,
            "is_all_mail_blocked",
            lambda: confirm_address_change(link=links[1], now=NOW),
            pool,
        )
        assert confirm_address_change(link=links[0], now=NOW) == first
        with pytest.raises(UsedLink):
            started[0].result(timeout=60)
    assert Subscriber.objects.get().email == ADDRESS


def test_retention_keeps_a_person_who_has_just_confirmed(monkeypatch: pytest.MonkeyPatch) -> None:
    make_unconfirmed(make_list(), days=8)
    with ThreadPoolExecutor(1) as pool:
        started = run_meanwhile(
            monkeypatch, signup, "record_consent_event", lambda: purge_expired_data(now=NOW).unconfirmed, pool
        )
        assert confirm() is ConfirmationResult.NOW
        assert [each.result(timeout=60) for each in started] == [0]
    assert Subscriber.objects.exists()


def test_an_undo_waits_for_a_person_who_unsubscribes(monkeypatch: pytest.MonkeyPatch) -> None:
    import_text(make_list(), f"email\n{ADDRESS}\n")
    batch = ImportBatch.objects.get()
    with ThreadPoolExecutor(1) as pool:
        started = run_meanwhile(
            monkeypatch,
            unsubscribe,
            "record_consent_event",
            lambda: undo_now(batch, by="kim", clock=lambda: NOW + timedelta(minutes=5))["removed"],
            pool,
        )
        assert leave_all()
        assert [each.result(timeout=60) for each in started] == [0]
    assert Subscriber.objects.exists()
