"""Whoever presses a button of a mailed link twice, as on a phone, gets the answer to the first press."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from subscribers.confirmation_quota import use_confirmation_quota
from subscribers.identity import identify
from subscribers.links.signed_links import Purpose
from subscribers.models import MailedLink, MailingList, Reason, Subscriber
from subscribers.people.mailed_links import REPEAT_PERIOD, Kind
from subscribers.unsubscribing.suppression import suppress
from tests.support.people import make_list, make_member, path_to

pytestmark = pytest.mark.django_db
LATER = REPEAT_PERIOD + timedelta(seconds=1)


@pytest.fixture
def weekly() -> MailingList:
    return make_list()


def test_a_second_press_downloads_the_same_file(client: Client, weekly: MailingList) -> None:
    """The browser drops the answer to the first press, so only the second brings the file."""
    page = path_to(make_member(weekly), weekly, Purpose.DOWNLOAD)
    first, second = client.post(page), client.post(page)
    assert [answer["Content-Type"] for answer in (first, second)] == ["application/json"] * 2
    with time_machine.travel(timezone.now() + LATER, tick=False):
        assert client.post(page).status_code == 410


def test_a_visit_after_the_download_says_that_the_link_was_used(client: Client, weekly: MailingList) -> None:
    page = path_to(make_member(weekly), weekly, Purpose.DOWNLOAD)
    client.post(page)
    assert b"This link was used already" in client.get(page).content


def test_a_second_press_of_an_erasure_says_that_nothing_is_kept(client: Client, weekly: MailingList) -> None:
    page = path_to(make_member(weekly), weekly, Purpose.ERASE)
    assert b"You have been erased" in client.post(page).content
    again = client.post(page).content.decode()
    assert "This link no longer leads to you" in again
    assert "ask for a new one" not in again


def test_a_second_press_confirms_the_new_address_again(client: Client, weekly: MailingList) -> None:
    page = path_to(make_member(weekly), weekly, Purpose.CONFIRM_ADDRESS)
    pages = [client.post(page), client.post(page), client.get(page)]
    assert [answer.status_code for answer in pages] == [200, 200, 200]
    assert all(b"Your mail comes here now" in answer.content for answer in pages)


def test_a_used_link_to_an_earlier_address_does_not_claim_to_be_it(client: Client, weekly: MailingList) -> None:
    page = path_to(make_member(weekly), weekly, Purpose.CONFIRM_ADDRESS)
    client.post(page)
    Subscriber.objects.update(email="newest@example.org", address_hash=identify("newest@example.org"))
    assert b"This link was used already" in client.post(page).content


@pytest.mark.parametrize("everything", ["", "/all"])
def test_a_second_press_of_an_undo_reads_as_the_first(client: Client, weekly: MailingList, everything: str) -> None:
    page = path_to(make_member(weekly), weekly) + everything
    client.post(page)
    first, second = client.post(f"{page}/undo"), client.post(f"{page}/undo")
    assert b"You are on the list again." in first.content
    assert second.content == first.content
    assert b"There is nothing to undo" in client.get(f"{page}/undo").content


@pytest.mark.parametrize("is_blocked", [False, True])
def test_a_second_press_asks_for_a_new_address_once(client: Client, weekly: MailingList, is_blocked: bool) -> None:
    if is_blocked:
        suppress(address_hash=identify("new@example.org"), reason=Reason.STAFF, now=timezone.now())
    page = path_to(make_member(weekly), weekly, Purpose.CHANGE_ADDRESS)
    pages = [client.post(page, {"email": "new@example.org"}) for _ in range(2)]
    assert pages[0].content == pages[1].content
    assert b"We are sending a mail to new@example.org" in pages[1].content
    assert MailedLink.objects.filter(kind=Kind.CONFIRM_ADDRESS).count() == (0 if is_blocked else 1)


@pytest.mark.parametrize("first_is", ["free", "blocked", "over its quota"])
def test_a_second_address_by_a_used_link_is_refused(client: Client, weekly: MailingList, first_is: str) -> None:
    """The answer does not tell whether the first address is suppressed."""
    if first_is == "blocked":
        suppress(address_hash=identify("new@example.org"), reason=Reason.STAFF, now=timezone.now())
    if first_is == "over its quota":
        use_confirmation_quota("new@example.org", now=timezone.now())
    page = path_to(make_member(weekly), weekly, Purpose.CHANGE_ADDRESS)
    client.post(page, {"email": "new@example.org"})
    second = client.post(page, {"email": "newer@example.org"})
    assert second.status_code == 410
    assert b"This link was used already" in second.content
    mailed = MailedLink.objects.filter(kind=Kind.CONFIRM_ADDRESS).values_list("new_email", flat=True)
    assert list(mailed) == (["new@example.org"] if first_is == "free" else [])


def test_a_mistyped_new_address_allows_another_link_at_once(client: Client, weekly: MailingList) -> None:
    ada = make_member(weekly)
    ask = f"{path_to(ada, weekly, Purpose.PREFERENCES)}/move"
    client.post(ask)
    MailedLink.objects.update(sent_at=timezone.now())
    client.post(path_to(ada, weekly, Purpose.CHANGE_ADDRESS), {"email": "nwe@example.org"})
    client.post(ask)
    assert MailedLink.objects.unsent().filter(kind=Kind.CHANGE_ADDRESS).count() == 1
