"""An address gets an issue once, even if somebody changes to it while a send is running."""

from typing import Any

import pytest

from newsletter.feedback.sent_mails import describe_delivery, list_sent_mails
from newsletter.models import Batch, DeliveryException, Send
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.batch_claim import ALREADY_MAILED
from newsletter.sending.dispatching.dispatcher import Dispatcher
from newsletter.sending.limits.split_batches import split_off
from newsletter.sending.settling.receipt import make_receipt
from subscribers.identity import identify
from subscribers.models import Subscriber
from subscribers.people.merge import merge_people
from tests.support.fake_provider import FakeProvider
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_publication, make_story
from tests.support.sends import start_send

pytestmark = pytest.mark.django_db(transaction=True)
WORK, HOME = "person1@example.com", "person0@example.com"


@pytest.fixture
def calls_of_one(fake_provider: FakeProvider, settings: Any) -> FakeProvider:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url + "&max_batch=1"
    return fake_provider


def start() -> Send:
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, 2)
    return start_send(issue=make_issue(publication, approved=True), now=NOW)


def dispatch(send: Send, email: str) -> None:
    batch = Batch.objects.get(send=send, deliveries__address_hash=identify(email)[:16])
    Dispatcher(adapter=current_adapter(), clock=lambda: NOW).dispatch(batch.pk)


def move_to(email: str, *, person: Subscriber) -> None:
    """As a confirmed change of address does it: whoever was known there becomes one with the person."""
    other = Subscriber.objects.filter(email=email).exclude(pk=person.pk).first()
    if other is not None:
        merge_people(keep=person, absorb=other, now=NOW)
    Subscriber.objects.filter(pk=person.pk).update(email=email, address_hash=identify(email))


@pytest.mark.requirement("I2")
@pytest.mark.requirement("F15")
def test_an_address_that_has_the_issue_does_not_get_it_twice(
    calls_of_one: FakeProvider,
) -> None:
    send = start()
    dispatch(send, HOME)
    move_to(HOME, person=Subscriber.objects.get(email=WORK))
    dispatch(send, WORK)
    assert calls_of_one.accepted_counts() == {HOME: 1}
    [own] = DeliveryException.objects.all()
    assert own.state == "skipped"
    assert own.reason == ALREADY_MAILED
    assert own.code in DeliveryException.LEFT_OUT_CODES
    assert make_receipt(send).deliveries == {"pending": 0, "accepted": 1, "rejected": 0, "skipped": 1, "uncertain": 0}
    assert describe_delivery(own.delivery) == "Not sent: they changed to an address that had this issue already"


@pytest.mark.requirement("I2")
def test_somebody_at_an_address_that_another_left_reads_why_no_mail_came(
    calls_of_one: FakeProvider,
) -> None:
    """The other person got the issue there and moved away. It is in the mailbox that the person has now."""
    send = start()
    dispatch(send, HOME)
    move_to("elsewhere@example.com", person=Subscriber.objects.get(email=HOME))
    mover = Subscriber.objects.get(email=WORK)
    move_to(HOME, person=mover)
    dispatch(send, WORK)
    assert calls_of_one.accepted_counts() == {HOME: 1}
    receipt = make_receipt(send)
    assert (receipt.deliveries["accepted"], receipt.deliveries["skipped"]) == (1, 1)
    [mail] = list_sent_mails(mover)
    assert mail.outcome == "Not sent: they changed to an address that had this issue already"


def test_an_address_that_an_earlier_call_may_have_mailed_is_skipped(calls_of_one: FakeProvider) -> None:
    """The part of the batch has none of its attempts."""
    send = start()
    whole = Batch.objects.get(send=send, deliveries__address_hash=identify(HOME)[:16])
    split_off(batch=whole, deliveries=[whole.deliveries.get().pk], not_before=None, handed_to="default")
    move_to(HOME, person=Subscriber.objects.get(email=WORK))
    dispatch(send, WORK)
    assert calls_of_one.accepted_counts() == {}
    assert make_receipt(send).deliveries["skipped"] == 1


@pytest.mark.requirement("I1")
def test_a_changed_address_not_mailed_yet_gets_the_issue_once(
    calls_of_one: FakeProvider,
) -> None:
    send = start()
    move_to(HOME, person=Subscriber.objects.get(email=WORK))
    dispatch(send, WORK)
    dispatch(send, HOME)
    assert calls_of_one.accepted_counts() == {HOME: 1}
    assert make_receipt(send).deliveries["skipped"] == 1


@pytest.mark.requirement("I1")
def test_two_people_merged_into_one_get_the_issue_once(fake_provider: FakeProvider, settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url + "&max_batch=10"
    send = start()
    move_to(HOME, person=Subscriber.objects.get(email=WORK))
    dispatch(send, WORK)
    assert fake_provider.accepted_counts() == {HOME: 1}


@pytest.mark.requirement("I1")
def test_a_changed_address_of_nobody_else_gets_the_issue(calls_of_one: FakeProvider) -> None:
    send = start()
    dispatch(send, HOME)
    move_to("new@example.com", person=Subscriber.objects.get(email=WORK))
    dispatch(send, WORK)
    assert calls_of_one.accepted_counts() == {HOME: 1, "new@example.com": 1}
