"""Staff who send an uncertain batch again get it sent, also if a mail of it can no longer be made."""

from typing import Any

import pytest

from newsletter.models import Attempt, Batch, DeliveryException, Send
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.dispatcher import Dispatcher
from newsletter.sending.dispatching.worker_loop import run_send
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.receipt import make_receipt
from newsletter.sending.settling.send_controls import end_send
from newsletter.sending.settling.uncertain_batches import send_again
from subscribers.models import Subscriber
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_all
from tests.support.fake_provider import FakeProvider
from tests.support.fixtures import (
    NOW,
    add_subscribers,
    make_approver,
    make_issue,
    make_publication,
    make_story,
)
from tests.support.provider_faults import Fault, too_many
from tests.support.sends import Clock, start_ready_send

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
GREETING = "".join(f'{{{{ name | default:"friend {n}" }}}} ' for n in range(14))
TOO_BIG = "&" * 200
"""A name that is too big for one call of SendGrid: each letter needs five in HTML, in each place of the greeting."""


@pytest.fixture
def mailgun(fake_provider: FakeProvider, settings: Any) -> FakeProvider:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url + "&max_batch=10"
    return fake_provider


@pytest.fixture
def sendgrid(fake_provider: FakeProvider, settings: Any) -> FakeProvider:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.url_of("sendgrid") + "&max_batch=16"
    return fake_provider


def dispatch(batch: Batch) -> None:
    assert Dispatcher(adapter=current_adapter(), clock=lambda: NOW).dispatch(batch.pk)


def lose_first_answer(provider: FakeProvider, *, fault: str = "reset_after_accepting") -> Send:
    """Start a send of one batch whose first call has no answer."""
    provider.fault_on(1, Fault(fault))
    send = start_ready_send(recipients=10)
    dispatch(send.batches.get())
    assert send.batches.get().state == Batch.State.UNCERTAIN
    return send


def lower_batch_size(settings: Any) -> None:
    """Make the provider take fewer people a call, so that the batch cannot be made any more."""
    settings.NEWSLETTER_PROVIDER_URL = settings.NEWSLETTER_PROVIDER_URL.replace("max_batch=10", "max_batch=5")


def run(send: Send) -> Send:
    clock = Clock()
    send.refresh_from_db()
    return run_send(send=send, adapter=current_adapter(), clock=clock, sleep=clock.nap)


def count(send: Send) -> tuple[int, int, int]:
    """Return how many people are accepted, rejected and uncertain."""
    deliveries = make_receipt(send).deliveries
    return deliveries["accepted"], deliveries["rejected"], deliveries["uncertain"]


def test_a_batch_that_cannot_be_made_is_split_when_sent_again(mailgun: FakeProvider, settings: Any) -> None:
    send = lose_first_answer(mailgun)
    lower_batch_size(settings)
    send_again(batch=Batch.objects.get(), by=make_approver(), now=NOW)
    assert run(send).state == Send.State.SUBMITTED
    assert count(send) == (10, 0, 0)
    assert set(mailgun.accepted_counts().values()) == {2}


def test_one_decision_of_staff_allows_one_repeat_only(mailgun: FakeProvider, settings: Any) -> None:
    send = lose_first_answer(mailgun)
    person = make_approver()
    send_again(batch=Batch.objects.get(), by=person, now=NOW)
    mailgun.fault_on(2, Fault("reset_after_accepting"))
    dispatch(send.batches.get())
    Batch.objects.update(state=Batch.State.PENDING, settled_at=None)
    lower_batch_size(settings)
    dispatch(send.batches.get())
    assert send.batches.get().state == Batch.State.UNCERTAIN
    assert len(mailgun.ledger) == 2
    send_again(batch=Batch.objects.get(), by=person, now=NOW)
    assert run(send).state == Send.State.SUBMITTED


def test_a_mail_too_big_to_be_sent_again_leaves_its_person_uncertain(sendgrid: FakeProvider) -> None:
    """The first call may have reached that person, so “rejected” would be wrong."""
    publication = make_publication(intro=GREETING)
    make_story("The first verdict")
    add_subscribers(publication, 16)
    sendgrid.fault_on(1, Fault("reset_after_accepting"))
    send = start_send(issue=make_issue(publication, approved=True), now=NOW)
    dispatch(send.batches.get())
    Subscriber.objects.filter(email="person7@example.com").update(name=TOO_BIG)
    person = make_approver()
    send_again(batch=Batch.objects.get(), by=person, now=NOW)
    send = run(send)
    assert send.state == Send.State.NEEDS_ATTENTION
    assert count(send) == (15, 0, 1)
    assert sendgrid.accepted_counts().pop("person7@example.com") == 1
    end_send(send=send, by=person, now=NOW)
    assert count(send) == (15, 0, 1)


def test_an_unsubscribed_person_of_a_part_may_have_the_mail(mailgun: FakeProvider, settings: Any) -> None:
    send = lose_first_answer(mailgun)
    lower_batch_size(settings)
    send_again(batch=Batch.objects.get(), by=make_approver(), now=NOW)
    dispatch(send.batches.get())
    unsubscribe_from_all(subscriber=Subscriber.objects.get(email="person3@example.com"), now=NOW)
    run(send)
    assert count(send) == (9, 0, 1)
    assert DeliveryException.objects.get().code == DeliveryException.Code.UNSUBSCRIBED


def test_a_person_who_cannot_be_mailed_again_holds_back_nobody(
    mailgun: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider answers “too many” to the repeat, so the batch is tried once more."""
    send = lose_first_answer(mailgun)
    send_again(batch=Batch.objects.get(), by=make_approver(), now=NOW)
    mailgun.fault_on(2, too_many("1"))
    fail_for(monkeypatch, "person4@example.com")
    send = run(send)
    assert list(Attempt.objects.order_by("number").values_list("outcome", flat=True)) == [
        "uncertain",
        "throttled",
        "accepted",
    ]
    assert count(send) == (9, 0, 1)


def fail_for(monkeypatch: pytest.MonkeyPatch, email: str) -> None:
    """Make every mail to this address fail to render."""
    from newsletter.sending import build_call

    plan = build_call.plan_fields

    def plan_failing(*args: Any, **values: Any) -> Any:
        fields = plan(*args, **values)

        def make(recipients: Any) -> Any:
            if any(recipient.email == email for recipient in recipients):
                raise LookupError("no such place")
            return fields(recipients)

        return make

    monkeypatch.setattr(build_call, "plan_fields", plan_failing)
