"""People who unsubscribe while a call is unresolved are settled by evidence, or reported to staff."""

from datetime import timedelta
from typing import Any

import pytest

from newsletter.feedback.match_events import Target
from newsletter.feedback.settle_by_evidence import settle_by_evidence
from newsletter.jobs.notices.about_sends import notify_stopped_sends
from newsletter.models import Batch, Delivery, DeliveryException, Issue, Send, StaffNotice
from newsletter.providers.base.contract import Outcome, Verdict
from newsletter.sending.adapters import account_label, current_adapter
from newsletter.sending.dispatching.batch_claim import claim_batch
from newsletter.sending.dispatching.dispatcher import Dispatcher
from newsletter.sending.dispatching.outcome import record_outcome
from newsletter.sending.settling.receipt import make_receipt
from newsletter.sending.settling.send_controls import end_send
from newsletter.sending.settling.sweep import sweep
from newsletter.sending.settling.uncertain_batches import (
    send_again,
    settle_as_accepted,
)
from subscribers.models import Subscriber, Subscription, Suppression
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_list
from tests.support.fixtures import NOW, make_approver
from tests.support.provider_faults import Fault
from tests.support.sends import start_ready_send

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
SOON, LATER = NOW + timedelta(seconds=30), NOW + timedelta(minutes=5)


@pytest.fixture(params=["mailgun", "resend", "postmark"])
def provider(request: pytest.FixtureRequest, fake_provider: Any, settings: Any) -> Any:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.url_of(request.param) + "&max_batch=10"
    return fake_provider


@pytest.fixture
def mailgun(fake_provider: Any, settings: Any) -> Any:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.url_of("mailgun") + "&max_batch=10"
    return fake_provider


@pytest.fixture
def postmark(fake_provider: Any, settings: Any) -> Any:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.url_of("postmark") + "&max_batch=10"
    return fake_provider


def begin(*, recipients: int = 5) -> Send:
    return start_ready_send(recipients=recipients)


def try_without_an_end() -> None:
    """A call of which nothing is known: the worker was lost before or after it."""
    claim = claim_batch(batch_id=Batch.objects.get().pk, provider=account_label(), now=NOW)
    assert claim is not None
    record_outcome(claim=claim, outcome=Outcome(verdict=Verdict.UNCERTAIN, reason="no answer"), now=NOW)


def leave(*numbers: int) -> None:
    for number in numbers:
        unsubscribe_from_list(
            subscriber=Subscriber.objects.get(email=f"person{number}@example.com"),
            mailing_list=Issue.objects.get().publication.mailing_list,
            now=SOON,
        )


def send_once_more() -> None:
    send_again(batch=Batch.objects.get(), by=make_approver(), now=SOON)
    Dispatcher(adapter=current_adapter(), clock=lambda: SOON).dispatch(Batch.objects.get().pk)


def look_again(send: Send, *, at: Any = LATER) -> dict[str, int]:
    sweep(adapter=current_adapter(), clock=lambda: at)
    send.refresh_from_db()
    return make_receipt(send).deliveries


def evidence_of(number: int, *, atomic: bool) -> None:
    delivery = Delivery.objects.get(subscriber_id=Subscriber.objects.get(email=f"person{number}@example.com").pk)
    target = Target(
        delivery=delivery.pk,
        subscriber=delivery.subscriber_id,
        address_hash=None,
        batch=delivery.batch_id,
        send=delivery.batch.send_id,
        proof=False,
        account="default",
    )
    settle_by_evidence(proven=[target], atomic={delivery.batch_id} if atomic else set(), now=LATER)


def test_staff_hear_of_a_person_who_left_before_an_accepted_call(provider):
    send = begin()
    try_without_an_end()
    leave(1)
    send_once_more()
    assert "person1@example.com" not in provider.accepted_counts()
    assert look_again(send) == {"pending": 0, "accepted": 4, "rejected": 0, "skipped": 0, "uncertain": 1}
    assert send.state == Send.State.NEEDS_ATTENTION
    assert send.reason.startswith("1 person unsubscribed during the send")
    notify_stopped_sends(now=LATER)
    assert not StaffNotice.objects.exists(), "the provider may still say what became of them"
    notify_stopped_sends(now=LATER + timedelta(days=1))
    assert "may already have this issue" in StaffNotice.objects.get().paragraphs[0]


def test_a_report_of_their_own_mail_settles_people_who_left(provider):
    send = begin()
    try_without_an_end()
    leave(1)
    send_once_more()
    assert look_again(send)["uncertain"] == 1
    evidence_of(2, atomic=True)
    assert look_again(send)["uncertain"] == 1
    evidence_of(1, atomic=False)
    assert look_again(send) == {"pending": 0, "accepted": 5, "rejected": 0, "skipped": 0, "uncertain": 0}
    assert send.state == Send.State.SUBMITTED


def test_a_record_of_the_batch_settles_people_who_left_after_the_call(mailgun):
    """Everybody left before the second try, so it called nobody."""
    mailgun.fault_on(1, Fault("reset_after_accepting"))
    send = begin(recipients=2)
    Dispatcher(adapter=current_adapter(), clock=lambda: NOW).dispatch(Batch.objects.get().pk)
    leave(0, 1)
    send_once_more()
    assert look_again(send, at=NOW + timedelta(minutes=1))["uncertain"] == 2
    assert send.state == Send.State.NEEDS_ATTENTION
    assert look_again(send) == {"pending": 0, "accepted": 2, "rejected": 0, "skipped": 0, "uncertain": 0}
    assert send.state == Send.State.SUBMITTED
    assert len(mailgun.ledger) == 1


def test_a_webhook_about_the_batch_settles_them_too(mailgun):
    send = begin(recipients=2)
    try_without_an_end()
    leave(0, 1)
    send_once_more()
    evidence_of(0, atomic=True)
    assert look_again(send)["accepted"] == 2


def test_staff_who_accept_a_batch_settle_people_who_left_after_it(mailgun):
    send = begin()
    try_without_an_end()
    leave(1)
    send_again(batch=Batch.objects.get(), by=make_approver(), now=SOON)
    claim = claim_batch(batch_id=Batch.objects.get().pk, provider=account_label(), now=SOON)
    assert claim is not None
    Batch.objects.update(state=Batch.State.UNCERTAIN)
    settle_as_accepted(batch=Batch.objects.get(), by=make_approver(), now=SOON)
    assert look_again(send)["uncertain"] == 1
    DeliveryException.objects.update(at=LATER)
    Batch.objects.update(state=Batch.State.UNCERTAIN)
    settle_as_accepted(batch=Batch.objects.get(), by=make_approver(), now=SOON)
    assert look_again(send)["uncertain"] == 0


def test_a_provider_with_personal_records_is_asked_about_them(postmark):
    postmark.fault_on(1, Fault("reset_after_accepting"))
    send = begin()
    Dispatcher(adapter=current_adapter(), clock=lambda: NOW).dispatch(Batch.objects.get().pk)
    leave(1)
    send_once_more()
    assert look_again(send, at=NOW + timedelta(minutes=1))["uncertain"] == 1
    assert look_again(send) == {"pending": 0, "accepted": 5, "rejected": 0, "skipped": 0, "uncertain": 0}


def test_people_who_came_back_before_an_accepted_call_are_settled(mailgun):
    send = begin()
    try_without_an_end()
    leave(1)
    send_again(batch=Batch.objects.get(), by=make_approver(), now=SOON)
    claim = claim_batch(batch_id=Batch.objects.get().pk, provider=account_label(), now=SOON)
    assert claim is not None
    record_outcome(claim=claim, outcome=Outcome(verdict=Verdict.THROTTLED, reason="later"), now=SOON)
    assert DeliveryException.objects.get().state == "uncertain"
    Subscription.objects.filter(subscriber__email="person1@example.com").update(ended_at=None, end_reason="")
    Suppression.objects.all().delete()
    Dispatcher(adapter=current_adapter(), clock=lambda: LATER).dispatch(Batch.objects.get().pk)
    assert "person1@example.com" in mailgun.accepted_counts()
    assert look_again(send) == {"pending": 0, "accepted": 5, "rejected": 0, "skipped": 0, "uncertain": 0}
    assert send.state == Send.State.SUBMITTED


def test_staff_can_end_a_send_with_an_uncertain_person(mailgun):
    send = begin()
    try_without_an_end()
    leave(1)
    send_once_more()
    look_again(send)
    end_send(send=send, by=make_approver(), now=LATER)
    assert look_again(send)["uncertain"] == 1
    assert send.state == Send.State.SUBMITTED


def test_the_page_shows_only_the_people_still_uncertain(mailgun):
    mailgun.fault_always(Fault("reset_after_accepting"))
    send = begin(recipients=25)
    for batch in Batch.objects.order_by("seq"):
        Dispatcher(adapter=current_adapter(), clock=lambda: NOW).dispatch(batch.pk)
    look_again(send, at=NOW)
    assert send.reason.startswith("for 25 people")
    settle_as_accepted(batch=Batch.objects.order_by("seq")[0], by=make_approver(), now=NOW)
    look_again(send, at=NOW)
    assert send.reason.startswith("for 15 people")
