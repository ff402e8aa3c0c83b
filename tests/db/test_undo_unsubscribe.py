"""The undo of an unsubscribe: what it brings back, what it leaves alone, and whose rows it changes."""

from datetime import datetime

import pytest
from django.utils import timezone

from subscribers.audience.eligibility import eligible
from subscribers.identity import identify
from subscribers.models import MailingList, Subscriber, Suppression
from subscribers.unsubscribing.undo import undo_unsubscribe
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_list
from tests.support.people import make_list, make_member

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]


@pytest.fixture
def weekly() -> MailingList:
    return make_list(name="Weekly")


@pytest.fixture
def ada(weekly: MailingList) -> Subscriber:
    return make_member(weekly)


def undo(person: Subscriber, mailing_list: MailingList | None, now: datetime) -> list[MailingList]:
    return undo_unsubscribe(subscriber=person, mailing_list=mailing_list, now=now, wording="by mistake")


def is_mailed(mailing_list: MailingList) -> bool:
    return eligible(mailing_list=mailing_list, now=timezone.now()).exists()


def test_an_undo_uses_the_address_that_the_person_has_now(weekly: MailingList, ada: Subscriber) -> None:
    """They confirmed a new address after the page of the undo was read. Their suppression went with them."""
    now = timezone.now()
    unsubscribe_from_list(subscriber=ada, mailing_list=weekly, now=now, source="link")
    read_before = Subscriber.objects.get(pk=ada.pk)
    new = identify("new@example.org")
    Subscriber.objects.update(email="new@example.org", address_hash=new)
    Suppression.objects.create(
        address_hash=new, mailing_list=weekly, scope="list", reason="unsubscribe", at=now, note="moved"
    )
    assert undo(read_before, weekly, now) == [weekly]
    assert is_mailed(weekly)
    assert not Suppression.objects.live().filter(address_hash=new).exists()
