"""A reader whose link has expired or was used finds the way on: a link to the choices by mail."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from subscribers.identity import identify
from subscribers.links.signed_links import Purpose
from subscribers.models import MailingList, Reason, Subscriber
from subscribers.unsubscribing.suppression import suppress
from tests.support.people import make_list, make_member, path_to

pytestmark = pytest.mark.django_db
LABEL = "Get a link to your choices by mail"
THERE = f"{LABEL} and ask for a new one there."
WAY_ON = '<a class="second" href="/my-mail">' + LABEL + "</a>"


@pytest.fixture
def weekly() -> MailingList:
    return make_list()


@pytest.mark.parametrize("purpose", [Purpose.DOWNLOAD, Purpose.ERASE, Purpose.CHANGE_ADDRESS])
def test_an_expired_link_leads_to_a_link_to_the_choices(client: Client, weekly: MailingList, purpose: Purpose) -> None:
    page = path_to(make_member(weekly), weekly, purpose)
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=False):
        answer = client.get(page)
    assert answer.status_code == 410
    assert f"It was valid for an hour. {THERE}" in answer.content.decode()
    assert WAY_ON in answer.content.decode()


def test_a_used_link_leads_to_a_link_to_the_choices(client: Client, weekly: MailingList) -> None:
    page = path_to(make_member(weekly), weekly, Purpose.DOWNLOAD)
    client.post(page)
    text = client.get(page).content.decode()
    assert f"This link works only once. {THERE}" in text
    assert WAY_ON in text


def test_a_refused_new_address_leads_to_a_link_to_the_choices(client: Client, weekly: MailingList) -> None:
    page = path_to(make_member(weekly), weekly, Purpose.CONFIRM_ADDRESS)
    suppress(address_hash=identify("new@example.org"), reason=Reason.STAFF, now=timezone.now())
    answer = client.post(page)
    assert answer.status_code == 409
    assert "To use another address, get a link to your choices" in answer.content.decode()
    assert WAY_ON in answer.content.decode()
    assert Subscriber.objects.get().email != "new@example.org"


def test_a_used_link_of_a_new_address_names_the_mail_there(client: Client, weekly: MailingList) -> None:
    page = path_to(make_member(weekly), weekly, Purpose.CHANGE_ADDRESS)
    client.post(page, {"email": "new@example.org"})
    text = client.get(page).content.decode()
    assert "If you gave a new address, open the mail that we sent there and confirm." in text
    assert WAY_ON in text
