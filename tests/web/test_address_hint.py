"""The sign-up page asks “Did you mean …?” for a near miss of a common domain. It refuses nothing and loses nothing."""

import re

import pytest
from django.http import HttpResponse
from django.test import Client

from subscribers.models import MailingList, Subscriber
from tests.support.signup import join, read

pytestmark = pytest.mark.django_db


@pytest.fixture
def weekly() -> MailingList:
    return MailingList.objects.create(slug="weekly", name="Weekly", ask_name=True, ask_place=True)


def addresses() -> list[str]:
    return list(Subscriber.objects.values_list("email", flat=True))


def hint(client: Client, weekly: MailingList, **fields: object) -> HttpResponse:
    given = {"email": "ana@gmial.com", "name": "Ana", "city": "Leeds, GB"}
    return join(client, weekly, **{**given, **fields})


def test_a_near_miss_is_asked_about_and_what_was_typed_is_kept(client: Client, weekly: MailingList) -> None:
    page = hint(client, weekly)
    shown = page.content.decode()
    assert page.status_code == 200
    assert 'Did you mean <strong dir="ltr">ana@gmail.com</strong>?' in shown
    for kept in ('value="ana@gmial.com"', 'value="Ana"', 'value="Leeds, GB"'):
        assert kept in shown
    assert addresses() == []


def test_one_button_corrects_the_address(client: Client, weekly: MailingList) -> None:
    shown = hint(client, weekly).content.decode()
    hint(client, weekly, hinted=read(shown, 'name="hinted" value'), corrected=read(shown, 'name="corrected" value'))
    assert addresses() == ["ana@gmail.com"]


def test_one_button_keeps_the_address_as_it_was_typed(client: Client, weekly: MailingList) -> None:
    shown = hint(client, weekly).content.decode()
    page = hint(client, weekly, hinted=read(shown, 'name="hinted" value'))
    assert "Did you mean" not in page.content.decode()
    assert addresses() == ["ana@gmial.com"]


def test_the_enter_key_corrects_nothing(client: Client, weekly: MailingList) -> None:
    buttons = re.findall(r"<button[^>]*>", hint(client, weekly).content.decode())
    assert [("corrected" in button) for button in buttons] == [False, True, False, False]  # the first one is pressed


def test_another_near_miss_is_asked_about_again(client: Client, weekly: MailingList) -> None:
    page = hint(client, weekly, email="ana@hotmial.com", hinted="ana@gmial.com")
    assert "ana@hotmail.com" in page.content.decode()
    assert addresses() == []


@pytest.mark.parametrize("address", ["ana@gmail.com", "ana@open-door.example", "ana@yahoo.es"])
def test_other_addresses_are_taken_at_once(client: Client, weekly: MailingList, address: str) -> None:
    hint(client, weekly, email=address)
    assert addresses() == [address]


def test_a_correction_that_we_did_not_suggest_changes_nothing(client: Client, weekly: MailingList) -> None:
    hint(client, weekly, email="ana@example.org", corrected="eve@example.org")
    assert addresses() == ["ana@example.org"]


def test_a_corrected_address_stays_if_the_page_is_shown_again(client: Client, weekly: MailingList) -> None:
    page = hint(client, weekly, corrected="ana@gmail.com", altcha="not a solution").content.decode()
    assert 'value="ana@gmail.com"' in page
    assert "Did you mean" not in page


def test_the_question_is_asked_in_spanish_too(client: Client, weekly: MailingList) -> None:
    page = hint(client, weekly, headers={"accept-language": "es"}).content.decode()
    assert "¿Querías decir" in page
