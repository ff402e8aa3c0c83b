"""Changes to subscribers during a send apply from the next call on."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from newsletter.models import Delivery, Publication
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.worker_loop import run_send
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.receipt import make_receipt
from subscribers.erasing.erasure import erase_person
from subscribers.identity import identify
from subscribers.models import Reason, Subscriber, Subscription
from subscribers.people.merge import merge_people
from subscribers.unsubscribing.suppression import suppress
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_all, unsubscribe_from_list
from tests.support.fake_provider import FakeProvider
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_publication, make_story
from tests.support.sends import Clock

pytestmark = pytest.mark.django_db(transaction=True)
READERS = 200
_Change = Callable[[Subscriber, Subscriber, Publication], None]


def leave(one: Subscriber, _: Subscriber, publication: Publication) -> None:
    unsubscribe_from_list(subscriber=one, mailing_list=publication.mailing_list, now=NOW)


def leave_everything(one: Subscriber, _: Subscriber, publication: Publication) -> None:
    unsubscribe_from_all(subscriber=one, now=NOW)


def complain(one: Subscriber, _: Subscriber, publication: Publication) -> None:
    suppress(address_hash=bytes(one.address_hash), reason=Reason.COMPLAINT, now=NOW)


def bounce(one: Subscriber, _: Subscriber, publication: Publication) -> None:
    suppress(address_hash=bytes(one.address_hash), reason=Reason.HARD, now=NOW)


def be_erased(one: Subscriber, _: Subscriber, publication: Publication) -> None:
    erase_person(subscriber=one, by="staff@example.org", now=NOW)


def be_merged(one: Subscriber, other: Subscriber, publication: Publication) -> None:
    """Both were in the audience: the one who stays gets it once."""
    merge_people(keep=other, absorb=one, now=NOW)


def move(one: Subscriber, _: Subscriber, publication: Publication) -> None:
    """To a new address, which was confirmed."""
    email = one.email.replace("person", "moved")
    Subscriber.objects.filter(pk=one.pk).update(email=email, address_hash=identify(email))


def leave_and_come_back(one: Subscriber, _: Subscriber, publication: Publication) -> None:
    """Their new yes counts from the next issue on or for this one; never twice."""
    unsubscribe_from_list(subscriber=one, mailing_list=publication.mailing_list, now=NOW)
    Subscription.objects.create(
        subscriber=one,
        mailing_list=publication.mailing_list,
        basis="consent",
        evidence="a form",
        requested_at=NOW + timedelta(hours=1),
    )


CHANGES: tuple[_Change, ...] = (
    leave,
    leave_everything,
    complain,
    bounce,
    be_erased,
    be_merged,
    move,
    leave_and_come_back,
)
GONE = (leave, leave_everything, complain, bounce, be_erased, be_merged)


@pytest.fixture
def mailgun(fake_provider: FakeProvider, settings: Any) -> FakeProvider:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url + "&max_batch=10&people_per_second=20"
    return fake_provider


@pytest.mark.long
@pytest.mark.requirement("F15")
@pytest.mark.requirement("I3")
@pytest.mark.requirement("I2")
@pytest.mark.requirement("I1")
def test_each_kind_of_change_counts_from_the_next_call_on(mailgun: FakeProvider) -> None:
    """Eight kinds of change after every second call, to people of whom some were mailed already."""
    publication = make_publication()
    make_story("The first verdict")
    readers = add_subscribers(publication, READERS)
    clock = Clock()
    send = start_send(issue=make_issue(publication, approved=True), now=clock())
    changed: dict[str, tuple[_Change, int]] = {}

    def change_some(seconds: float = 0) -> None:
        clock.nap(seconds)
        calls = len(mailgun.ledger)
        for step, change in enumerate(CHANGES):
            number = (calls * 17 + step * 23) % (READERS - 1)
            one, other = readers[number], readers[number + 1]
            if one.email in changed or other.email in changed or not Subscriber.objects.filter(pk=one.pk).exists():
                continue
            changed[one.email] = change, calls
            if change is be_merged:
                changed[other.email] = move, 10**6
            change(Subscriber.objects.get(pk=one.pk), Subscriber.objects.get(pk=other.pk), publication)
        if not Subscriber.objects.filter(email=f"person{1000 + calls}@example.com").exists():
            add_subscribers(publication, 1, start=1000 + calls)

    send = run_send(send=send, adapter=current_adapter(), clock=clock, sleep=change_some, progress=change_some)
    counts = mailgun.accepted_counts()
    receipt = make_receipt(send)
    assert {change for change, _ in changed.values()} == set(CHANGES)
    assert max(counts.values()) == 1
    assert sum(receipt.deliveries.values()) == READERS == Delivery.objects.count()
    assert receipt.deliveries["accepted"] == len(counts)
    assert receipt.deliveries["skipped"] == READERS - len(counts) > 0
    for number, entry in enumerate(mailgun.ledger):
        for address in entry.recipients:
            change, after = changed.get(address, (None, 10**6))
            assert change not in (*GONE, move) or number < after, f"{address}: {change} came before the call"
    assert any(address.startswith("moved") for address in counts), "nobody was mailed at the new address"
    assert not any(address.startswith("person1") and len(address) > len("person199@example.com") for address in counts)


def test_a_list_that_closes_in_the_middle_leaves_the_rest_unmailed(mailgun: FakeProvider) -> None:
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, 40)
    clock = Clock()
    send = start_send(issue=make_issue(publication, approved=True), now=clock())

    def close_after_two_calls() -> None:
        if len(mailgun.ledger) >= 2:
            Subscription.objects.filter(mailing_list=publication.mailing_list).open().update(
                ended_at=clock(), end_reason="staff"
            )

    send = run_send(send=send, adapter=current_adapter(), clock=clock, sleep=clock.nap, progress=close_after_two_calls)
    told = make_receipt(send).deliveries
    assert told["accepted"] == len(mailgun.accepted_counts())
    assert told["accepted"] + told["skipped"] == 40
