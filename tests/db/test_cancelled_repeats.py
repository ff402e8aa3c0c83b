"""A repeat that runs while its send is cancelled: its people may have the mail of the call before."""

from typing import Any

import pytest

from newsletter.feedback.sent_mails import describe_delivery, was_handed_over
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.corrections.correct import find_misinformed
from newsletter.issues.variants.group_keys import find_got
from newsletter.models import Batch, Delivery, Send, WelcomeStep
from newsletter.providers.base.contract import Outcome, Verdict
from newsletter.sending.adapters import account_label, current_adapter
from newsletter.sending.dispatching.batch_claim import Claim, claim_batch
from newsletter.sending.dispatching.outcome import record_outcome
from newsletter.sending.settling.receipt import list_deliveries, make_receipt
from newsletter.sending.settling.send_controls import cancel_send
from newsletter.sending.settling.sweep import sweep
from newsletter.sending.settling.uncertain_batches import send_again
from newsletter.sending.settling.welcome_results import settle_welcome_steps
from tests.support.event_changes import announce, move_event, publish
from tests.support.fake_provider import FakeProvider
from tests.support.fixtures import NOW, make_approver
from tests.support.sends import make_ready_issue, start_send

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
THROTTLED = Outcome(verdict=Verdict.THROTTLED, reason="slow down")
SPLIT = Outcome(verdict=Verdict.REJECTED, reason="one address is wrong", bisect=True)
NOT_SENT = {"pending": 0, "accepted": 0, "rejected": 0, "skipped": 10, "uncertain": 0}
UNKNOWN = NOT_SENT | {"skipped": 0, "uncertain": 10}


@pytest.fixture(autouse=True)
def mailgun(fake_provider: FakeProvider, settings: Any) -> FakeProvider:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url + "&max_batch=10"
    return fake_provider


def claim_only_batch(send: Send) -> Claim:
    claim = claim_batch(batch_id=send.batches.get().pk, provider=account_label(), now=NOW)
    assert claim is not None
    return claim


def cancel_during_repeat(send: Send, answer: Outcome) -> Send:
    """Cancel the send while a repeat of an unanswered call runs. The provider answers the repeat afterwards."""
    record_outcome(claim=claim_only_batch(send), outcome=Outcome(verdict=Verdict.UNCERTAIN), now=NOW)
    send_again(batch=send.batches.get(), by=make_approver(), now=NOW)
    return cancel_during_call(send, answer)


def cancel_during_call(send: Send, answer: Outcome) -> Send:
    claim = claim_only_batch(send)
    cancel_send(send=Send.objects.get(pk=send.pk), by=make_approver(), now=NOW)
    assert record_outcome(claim=claim, outcome=answer, now=NOW)
    return Send.objects.get(pk=send.pk)


def start() -> Send:
    return start_send(issue=make_ready_issue(recipients=10), now=NOW)


@pytest.mark.requirement("F9")
@pytest.mark.parametrize("answer", [THROTTLED, SPLIT], ids=["throttled", "split"])
def test_people_of_a_repeat_refused_after_the_cancellation_are_uncertain(answer: Outcome) -> None:
    send = cancel_during_repeat(start(), answer)
    for _ in ("before the sweep", "after it"):
        receipt = make_receipt(send)
        assert (receipt.deliveries, receipt.cancelled) == (UNKNOWN, 0)
        assert {(row[3], row[-1]) for row in list_deliveries(send)} == {("uncertain", "default")}
        sweep(adapter=current_adapter(), clock=lambda: NOW)
    parts = send.batches.filter(size__gt=0)
    assert {batch.state for batch in parts} == {Batch.State.UNCERTAIN}
    assert all("was cancelled before the repeat" in batch.reason for batch in parts)


@pytest.mark.parametrize("answer", [THROTTLED, SPLIT], ids=["throttled", "split"])
def test_people_whose_only_call_was_refused_are_skipped(answer: Outcome) -> None:
    send = cancel_during_call(start(), answer)
    for _ in ("before the sweep", "after it"):
        receipt = make_receipt(send)
        assert (receipt.deliveries, receipt.cancelled) == (NOT_SENT, 10)
        sweep(adapter=current_adapter(), clock=lambda: NOW)


def test_a_call_that_runs_at_the_cancellation_is_not_skipped() -> None:
    send = start()
    claim_only_batch(send)
    cancel_send(send=Send.objects.get(pk=send.pk), by=make_approver(), now=NOW)
    receipt = make_receipt(Send.objects.get(pk=send.pk))
    assert (receipt.deliveries["pending"], receipt.cancelled) == (10, 0)


@pytest.mark.parametrize("answer", [THROTTLED, SPLIT], ids=["throttled", "split"])
def test_people_of_a_cancelled_repeat_may_have_had_the_stories(answer: Outcome) -> None:
    cancel_during_repeat(start(), answer)
    assert find_got(Delivery.objects.all()).count() == 10
    delivery = Delivery.objects.select_related("batch__send", "batch__variant").first()
    assert delivery is not None
    assert was_handed_over(delivery)
    assert describe_delivery(delivery).startswith("Uncertain")


def test_nobody_is_corrected_twice_after_a_cancelled_repeat() -> None:
    publication, event = publish()
    move_event(event, cancelled=True)
    issue = announce(event, publication)
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    cancel_during_repeat(start_send(issue=issue, now=NOW), THROTTLED)
    assert find_misinformed(event, now=NOW) == []


def test_a_welcome_step_of_a_cancelled_repeat_is_uncertain() -> None:
    send = cancel_during_repeat(start(), THROTTLED)
    person = Delivery.objects.values_list("subscriber_id", flat=True)[0]
    step = WelcomeStep.objects.create(
        issue=send.issue,
        mailing_list=send.issue.publication.mailing_list,
        step=1,
        subscriber_id=person,
        address_hash=b"0" * 16,
        joined_at=NOW,
        state=WelcomeStep.State.SENDING,
    )
    for state in (WelcomeStep.State.SENDING, WelcomeStep.State.UNCERTAIN):
        settle_welcome_steps(now=NOW)
        step.refresh_from_db()
        assert step.state == state
        sweep(adapter=current_adapter(), clock=lambda: NOW)
