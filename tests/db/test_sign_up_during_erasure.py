"""A sign-up and the erasure or the merge of the same person, at once. SQLite has one writer, so only PostgreSQL shows it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from subscribers.consent import signup
from subscribers.consent.signup import SignupRequest, SignupResult, request_subscription
from subscribers.erasing import erasure
from subscribers.erasing.erasure import erase_person
from subscribers.models import MailedLink, MailingList, Subscriber, Subscription
from subscribers.people import merge
from subscribers.people.change_address import confirm_address_change
from tests.support.meanwhile import run_meanwhile
from tests.support.people import NOW, make_list, make_member

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time"),
]


def sign_up(mailing_list: MailingList) -> SignupResult:
    return request_subscription(
        SignupRequest(email="ann@example.org", mailing_list=mailing_list, wording="Yes", source="form"), now=NOW
    )


def test_a_sign_up_during_an_erasure_is_that_of_a_new_person(monkeypatch: pytest.MonkeyPatch) -> None:
    weekly, monthly = make_list(), make_list("monthly")
    person = make_member(weekly, "ann@example.org")
    pk = person.pk
    with ThreadPoolExecutor(1) as pool:
        started = run_meanwhile(monkeypatch, erasure, "write_suppression", lambda: sign_up(monthly), pool)
        erase_person(subscriber=person, by="", now=NOW)
        assert [each.result(timeout=60) for each in started] == [SignupResult.ASKED]
    subscription = Subscription.objects.get()
    assert (subscription.mailing_list, subscription.confirmed_at) == (monthly, None)
    assert Subscriber.objects.get().pk == subscription.subscriber_id != pk


def test_an_erasure_during_a_sign_up_deletes_that_too(monkeypatch: pytest.MonkeyPatch) -> None:
    weekly, monthly = make_list(), make_list("monthly")
    person = make_member(weekly, "ann@example.org")

    def erase() -> None:
        erase_person(subscriber=person, by="", now=NOW)

    with ThreadPoolExecutor(1) as pool:
        started = run_meanwhile(monkeypatch, signup, "record_consent_event", erase, pool)
        assert sign_up(monthly) is SignupResult.ASKED
        assert [each.result(timeout=60) for each in started] == [None]
    assert not Subscriber.objects.exists()
    assert not Subscription.objects.exists()


def test_a_sign_up_during_a_merge_is_the_merged_persons(monkeypatch: pytest.MonkeyPatch) -> None:
    weekly, monthly = make_list(), make_list("monthly")
    person = make_member(weekly, "ann.old@example.org")
    make_member(weekly, "ann@example.org")
    link = MailedLink.objects.create(
        subscriber=person,
        mailing_list=weekly,
        kind=MailedLink.Kind.CONFIRM_ADDRESS,
        new_email="ann@example.org",
        asked_at=NOW,
        sent_at=NOW,
    )
    with ThreadPoolExecutor(1) as pool:
        started = run_meanwhile(monkeypatch, merge, "get_publishing_hooks", lambda: sign_up(monthly), pool)
        confirm_address_change(link=link, now=NOW)
        assert [each.result(timeout=60) for each in started] == [SignupResult.ASKED]
    assert Subscriber.objects.get().email == "ann@example.org"
    open_lists = Subscription.objects.open().values_list("mailing_list__slug", flat=True)
    assert sorted(open_lists) == ["monthly", "weekly"]
