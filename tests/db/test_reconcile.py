"""Uncertain batches are settled by proof: a replay under the same key, the provider's records, or staff."""

from datetime import timedelta

import pytest
from django.db import DatabaseError

from newsletter.common.errors import NotAllowed, WrongState
from newsletter.models import Attempt, Batch, Issue, Send
from newsletter.providers.base.contract import Outcome, Verdict
from newsletter.sending import wake_up_signal
from newsletter.sending.adapters import account_label, current_adapter
from newsletter.sending.dispatching.batch_claim import claim_batch
from newsletter.sending.dispatching.dispatcher import Dispatcher
from newsletter.sending.dispatching.outcome import record_outcome
from newsletter.sending.dispatching.worker_loop import run_send
from newsletter.sending.settling import sweep as sweep_module
from newsletter.sending.settling.mark_uncertain_after_restore import mark_open_batches_uncertain, release_after_restore
from newsletter.sending.settling.receipt import make_receipt
from newsletter.sending.settling.reconcile import replay_uncertain
from newsletter.sending.settling.send_controls import (
    cancel_send,
    end_send,
    pause_send,
    resume_send,
)
from newsletter.sending.settling.sweep import finish_sends, sweep
from newsletter.sending.settling.uncertain_batches import (
    send_again,
    settle_as_accepted,
    write_off,
)
from subscribers.identity import identify
from subscribers.models import Subscriber
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_list
from tests.support.feedback_reports import make_send
from tests.support.fixtures import NOW, make_approver
from tests.support.provider_faults import Fault, answer, too_many
from tests.support.sends import Clock, make_ready_issue, send_issue, start_send

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def mailgun(fake_provider, settings):
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url + "&max_batch=10"
    return fake_provider


@pytest.fixture
def resend(fake_provider, settings):
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.url_of("resend") + "&max_batch=10"
    return fake_provider


def later(**time):
    return lambda: NOW + timedelta(**time)


def test_a_replay_settles_a_lost_answer_without_a_second_mail(resend):
    resend.fault_on(1, Fault("reset_after_accepting"))
    send = send_issue(make_ready_issue(recipients=5))
    assert send.state == Send.State.SUBMITTED
    assert list(Attempt.objects.order_by("number").values_list("outcome", flat=True)) == ["uncertain", "accepted"]
    assert set(resend.accepted_counts().values()) == {1}


@pytest.mark.requirement("F20")
def test_a_batch_is_never_replayed_at_another_provider(fake_provider, settings):
    """Begun at one, moved to another in the middle, and moved back: the second one's lost answer stays uncertain."""
    first = fake_provider.url_of("resend") + "&max_batch=10"
    settings.NEWSLETTER_PROVIDER_URL = first
    send = start_send(issue=make_ready_issue(recipients=30), now=NOW)
    batches = list(Batch.objects.order_by("seq").values_list("pk", flat=True))
    Dispatcher(adapter=current_adapter(), clock=lambda: NOW).dispatch(batches[0])
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url + "&max_batch=10"
    fake_provider.fault_on(2, Fault("reset_after_accepting"))
    Dispatcher(adapter=current_adapter(), clock=lambda: NOW).dispatch(batches[1])
    settings.NEWSLETTER_PROVIDER_URL = first
    clock = Clock()
    send = run_send(send=send, adapter=current_adapter(), clock=clock, sleep=clock.nap)
    assert list(Batch.objects.order_by("seq").values_list("state", flat=True)) == ["accepted", "uncertain", "accepted"]
    assert len(fake_provider.ledger) == 3
    assert set(fake_provider.accepted_counts().values()) == {1}
    assert make_receipt(send).deliveries["uncertain"] == 10


@pytest.mark.requirement("F20")
def test_a_provider_that_accepted_nothing_does_not_block_the_next(fake_provider, settings):
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url + "&max_batch=10"
    send = start_send(issue=make_ready_issue(recipients=10), now=NOW)
    fake_provider.fault_on(1, too_many())
    Dispatcher(adapter=current_adapter(), clock=lambda: NOW).dispatch(Batch.objects.get().pk)
    assert Attempt.objects.get().outcome == "throttled"
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.url_of("resend") + "&max_batch=10"
    fake_provider.fault_on(2, Fault("reset_after_accepting"))
    clock = Clock()
    run_send(send=send, adapter=current_adapter(), clock=clock, sleep=clock.nap)
    assert list(Attempt.objects.order_by("number").values_list("outcome", flat=True)) == [
        "throttled",
        "uncertain",
        "accepted",
    ]
    assert set(fake_provider.accepted_counts().values()) == {1}


@pytest.mark.requirement("F20")
def test_another_account_of_the_provider_gets_no_replay(resend, settings):
    resend.fault_on(1, Fault("reset_after_accepting"))
    start_send(issue=make_ready_issue(recipients=5), now=NOW)
    Dispatcher(adapter=current_adapter(), clock=lambda: NOW).dispatch(Batch.objects.get().pk)
    settings.NEWSLETTER_PROVIDER_URL = settings.NEWSLETTER_PROVIDER_URL.replace("resend://", "resend://other-")
    sweep(adapter=current_adapter(), clock=later(minutes=1))
    assert Batch.objects.get().state == Batch.State.UNCERTAIN
    assert "other-" not in Attempt.objects.get().provider


def test_a_forgotten_key_is_never_used_again(resend):
    start_send(issue=make_ready_issue(recipients=5), now=NOW)
    claim = claim_batch(batch_id=Batch.objects.get().pk, provider=account_label(), now=NOW)
    assert claim is not None
    record_outcome(claim=claim, outcome=Outcome(verdict=Verdict.UNCERTAIN), now=NOW + timedelta(hours=23, minutes=59))
    sweep(adapter=current_adapter(), clock=later(hours=24))
    assert Batch.objects.get().state == Batch.State.UNCERTAIN


@pytest.mark.parametrize("moved_to", ["", "mailgun"])
def test_a_delayed_replay_is_dropped_once_it_is_unsafe(resend, settings, moved_to):
    """Paused between the sweep that chose the batch and the call that was to repeat it."""
    resend.fault_on(1, Fault("reset_after_accepting"))
    send = start_send(issue=make_ready_issue(recipients=5), now=NOW)
    Dispatcher(adapter=current_adapter(), clock=lambda: NOW).dispatch(Batch.objects.get().pk)
    sweep(adapter=current_adapter(), clock=later(seconds=5))
    assert Batch.objects.get().state == Batch.State.PENDING
    person = make_approver()
    pause_send(send=send, by=person)
    resume_send(send=send, by=person)
    if moved_to:
        settings.NEWSLETTER_PROVIDER_URL = resend.url_of(moved_to)
    resumed = later(hours=1) if moved_to else later(hours=24)
    Dispatcher(adapter=current_adapter(), clock=resumed).dispatch(Batch.objects.get().pk)
    assert Batch.objects.get().state == Batch.State.UNCERTAIN
    assert len(resend.ledger) == 1
    send_again(batch=Batch.objects.get(), by=person, now=resumed())
    Dispatcher(adapter=current_adapter(), clock=later(hours=25)).dispatch(Batch.objects.get().pk)
    assert Batch.objects.get().state == Batch.State.ACCEPTED


def test_staff_can_repeat_a_call_that_the_backup_cut(mailgun):
    start_send(issue=make_ready_issue(recipients=5), now=NOW)
    assert claim_batch(batch_id=Batch.objects.get().pk, provider=account_label(), now=NOW) is not None
    mark_open_batches_uncertain(now=NOW)
    send_again(batch=Batch.objects.get(), by=make_approver(), now=NOW)
    release_after_restore(now=NOW)
    Dispatcher(adapter=current_adapter(), clock=later(minutes=1)).dispatch(Batch.objects.get().pk)
    assert Batch.objects.get().state == Batch.State.ACCEPTED


@pytest.mark.requirement("F9")
def test_a_cancelled_repeat_leaves_the_batch_uncertain(mailgun):
    """Its people may have the issue: with “skipped”, a correction would leave them out or reach them twice."""
    mailgun.fault_on(1, Fault("reset_after_accepting"))
    send = start_send(issue=make_ready_issue(recipients=5), now=NOW)
    Dispatcher(adapter=current_adapter(), clock=lambda: NOW).dispatch(Batch.objects.get().pk)
    person = make_approver()
    send_again(batch=Batch.objects.get(), by=person, now=NOW)
    cancel_send(send=Send.objects.get(pk=send.pk), by=person, now=NOW)
    assert Batch.objects.get().state == Batch.State.UNCERTAIN
    assert make_receipt(Send.objects.get()).deliveries["uncertain"] == 5
    with pytest.raises(WrongState, match="was cancelled"):
        send_again(batch=Batch.objects.get(), by=person, now=NOW)
    assert Batch.objects.get().state == Batch.State.UNCERTAIN
    assert len(mailgun.ledger) == 1


def test_the_providers_records_settle_an_uncertain_call(mailgun):
    mailgun.fault_on(1, Fault("reset_after_accepting"))
    send = send_issue(make_ready_issue(recipients=5))
    assert send.state == Send.State.NEEDS_ATTENTION
    sweep(adapter=current_adapter(), clock=later(minutes=1))
    assert Batch.objects.get().state == Batch.State.UNCERTAIN
    sweep(adapter=current_adapter(), clock=later(minutes=5))
    send.refresh_from_db()
    assert send.state == Send.State.SUBMITTED
    assert Issue.objects.get().state == Issue.State.SENT
    assert make_receipt(send).deliveries["accepted"] == 5


def test_no_record_at_the_provider_proves_nothing(mailgun):
    mailgun.fault_on(1, Fault("stall_before_accepting", seconds=0.1))
    start_send(issue=make_ready_issue(recipients=5), now=NOW)
    claim = claim_batch(batch_id=Batch.objects.get().pk, provider=account_label(), now=NOW)
    assert claim is not None
    record_outcome(claim=claim, outcome=Outcome(verdict=Verdict.UNCERTAIN), now=NOW)
    for minutes in (3, 10, 30, 90):
        sweep(adapter=current_adapter(), clock=later(minutes=minutes))
    assert Batch.objects.get().state == Batch.State.UNCERTAIN


def test_staff_settle_what_nothing_else_could(mailgun):
    mailgun.fault_always(Fault("reset_after_accepting"))
    send = send_issue(make_ready_issue(recipients=25))
    first, second, third = Batch.objects.order_by("seq")
    person = make_approver()
    settle_as_accepted(batch=first, by=person, now=NOW)
    write_off(batch=second, by=person, now=NOW)
    mailgun.fault_always(None)
    send_again(batch=third, by=person, now=NOW)
    with pytest.raises(WrongState, match="Only an uncertain batch"):
        write_off(batch=first, by=person, now=NOW)
    clock = Clock()
    send.refresh_from_db()
    send = run_send(send=send, adapter=current_adapter(), clock=clock, sleep=clock.nap)
    assert send.state == Send.State.SUBMITTED
    assert make_receipt(send).deliveries == {"pending": 0, "accepted": 15, "rejected": 0, "skipped": 0, "uncertain": 10}
    assert "approver@example.org" in Attempt.objects.filter(batch=third).latest("pk").batch.attempts.first().detail


def test_workers_are_woken_for_a_repeat_or_a_replay(resend):
    """Also where nothing else was left to do and the send waited for that person."""
    resend.fault_on(1, Fault("reset_after_accepting"))
    send = start_send(issue=make_ready_issue(recipients=5), now=NOW)
    Dispatcher(adapter=current_adapter(), clock=lambda: NOW).dispatch(Batch.objects.get().pk)
    finish_sends(now=NOW)
    heard: list[tuple[str, str]] = []

    def listener(rung: Send) -> None:
        heard.append((rung.state, rung.batches.get().state))

    wake_up_signal.connect_listener(listener)
    try:
        send_again(batch=Batch.objects.get(), by=make_approver(), now=NOW)
        Batch.objects.update(state=Batch.State.UNCERTAIN)
        Send.objects.filter(pk=send.pk).update(state=Send.State.NEEDS_ATTENTION)
        assert replay_uncertain(capabilities=current_adapter().capabilities, now=NOW + timedelta(minutes=1)) == 1
    finally:
        wake_up_signal._listeners.remove(listener)
    assert heard == [("submitting", "pending")] * 2


def test_a_send_does_not_end_while_a_replay_begins(resend, monkeypatch):
    resend.fault_on(1, Fault("reset_after_accepting"))
    send = start_send(issue=make_ready_issue(recipients=5), now=NOW)
    Dispatcher(adapter=current_adapter(), clock=lambda: NOW).dispatch(Batch.objects.get().pk)
    ask = sweep_module.find_attention_reason

    def ask_a_moment_later(asked):
        replay_uncertain(capabilities=current_adapter().capabilities, now=NOW + timedelta(seconds=5))
        return ask(asked)

    monkeypatch.setattr(sweep_module, "find_attention_reason", ask_a_moment_later)
    assert finish_sends(now=NOW) == []
    send.refresh_from_db()
    assert (send.state, Batch.objects.get().state) == (Send.State.SUBMITTING, Batch.State.PENDING)


def test_people_who_left_after_an_uncertain_call_are_uncertain(resend):
    issue = make_ready_issue(recipients=5)
    start_send(issue=issue, now=NOW)
    claim = claim_batch(batch_id=Batch.objects.get().pk, provider=account_label(), now=NOW)
    assert claim is not None
    record_outcome(claim=claim, outcome=Outcome(verdict=Verdict.UNCERTAIN), now=NOW)
    unsubscribe_from_list(
        subscriber=Subscriber.objects.get(email="person1@example.com"),
        mailing_list=issue.publication.mailing_list,
        now=NOW,
    )
    clock = Clock()
    sweep(adapter=current_adapter(), clock=clock)
    send = run_send(send=Send.objects.get(), adapter=current_adapter(), clock=clock, sleep=clock.nap)
    assert "person1@example.com" not in resend.accepted_counts()
    assert make_receipt(send).deliveries["uncertain"] == 1


def test_one_bad_address_costs_nobody_else_the_issue(mailgun):
    mailgun.fault_for("person3@example.com", answer(400, b'{"message": "to parameter is not a valid address"}'))
    send = send_issue(make_ready_issue(recipients=25))
    assert mailgun.accepted_counts() == {f"person{n}@example.com": 1 for n in range(25) if n != 3}
    receipt = make_receipt(send)
    assert send.state == Send.State.SUBMITTED
    assert receipt.deliveries == {"pending": 0, "accepted": 24, "rejected": 1, "skipped": 0, "uncertain": 0}
    assert sum(Batch.objects.values_list("size", flat=True)) == 25


def test_a_resumed_send_continues_from_its_last_batch(mailgun):
    issue = make_ready_issue(recipients=25)
    send = start_send(issue=issue, now=NOW)
    person = make_approver()
    pause_send(send=send, by=person, reason="wrong picture?")
    assert claim_batch(batch_id=Batch.objects.order_by("seq")[0].pk, provider=account_label(), now=NOW) is None
    with pytest.raises(WrongState):
        pause_send(send=send, by=person)
    resume_send(send=send, by=person)
    clock = Clock()
    assert run_send(send=send, adapter=current_adapter(), clock=clock, sleep=clock.nap).state == Send.State.SUBMITTED
    with pytest.raises(WrongState):
        resume_send(send=send, by=person)


def test_a_cancelled_send_skips_the_rest_and_its_receipt_adds_up(mailgun):
    issue = make_ready_issue(recipients=25)
    send = start_send(issue=issue, now=NOW)
    first = Batch.objects.order_by("seq")[0]
    claim = claim_batch(batch_id=first.pk, provider=account_label(), now=NOW)
    assert claim is not None
    record_outcome(claim=claim, outcome=Outcome(verdict=Verdict.ACCEPTED), now=NOW)
    cancel_send(send=send, by=make_approver(), now=NOW)
    assert make_receipt(send).deliveries == {"pending": 0, "accepted": 10, "rejected": 0, "skipped": 15, "uncertain": 0}
    assert Issue.objects.get().state == Issue.State.CANCELLED
    with pytest.raises(WrongState, match="already ended"):
        cancel_send(send=send, by=make_approver(), now=NOW)


def test_staff_can_end_a_send_with_uncertain_people(mailgun):
    send = start_send(issue=make_ready_issue(recipients=5), now=NOW)
    claim = claim_batch(batch_id=Batch.objects.get().pk, provider=account_label(), now=NOW)
    assert claim is not None
    unsure = {claim.recipients[0].delivery: (Verdict.UNCERTAIN, "no answer for this person")}
    record_outcome(claim=claim, outcome=Outcome(verdict=Verdict.ACCEPTED, people=unsure), now=NOW)
    sweep(adapter=current_adapter(), clock=lambda: NOW)
    send.refresh_from_db()
    assert send.state == Send.State.NEEDS_ATTENTION
    end_send(send=send, by=make_approver(), now=NOW)
    assert Issue.objects.get().state == Issue.State.SENT
    assert make_receipt(send).deliveries["uncertain"] == 1
    sweep(adapter=current_adapter(), clock=lambda: NOW)
    send.refresh_from_db()
    assert send.state == Send.State.SUBMITTED


def test_controlling_a_send_needs_the_permission(mailgun, django_user_model):
    send = start_send(issue=make_ready_issue(recipients=5), now=NOW)
    writer = django_user_model.objects.create(username="writer@example.org")
    for act in (lambda: pause_send(send=send, by=writer), lambda: cancel_send(send=send, by=writer, now=NOW)):
        with pytest.raises(NotAllowed, match="approver"):
            act()


def test_twenty_failed_calls_in_a_row_pause_the_send(mailgun, settings):
    settings.NEWSLETTER_PROVIDER_URL = mailgun.provider_url + "&max_batch=1"
    mailgun.fault_always(Fault("reset_after_accepting"))
    send = send_issue(make_ready_issue(recipients=30))
    assert send.state == Send.State.PAUSED
    assert "20 calls in a row" in send.reason
    assert len(mailgun.ledger) == 20


@pytest.mark.requirement("F9")
def test_failures_before_a_resume_no_longer_count(mailgun, settings):
    settings.NEWSLETTER_PROVIDER_URL = mailgun.provider_url + "&max_batch=1"
    mailgun.fault_always(Fault("reset_after_accepting"))
    send = send_issue(make_ready_issue(recipients=60))
    person = make_approver()
    for calls in (20, 40):
        assert send.state == Send.State.PAUSED
        assert len(mailgun.ledger) == calls
        resume_send(send=send, by=person)
        clock = Clock()
        send = run_send(send=send, adapter=current_adapter(), clock=clock, sleep=clock.nap)
    assert len(mailgun.ledger) == 60


@pytest.mark.requirement("F9")
def test_a_resumed_batch_has_all_its_attempts_again(mailgun):
    mailgun.fault_always(too_many("1"))
    send = send_issue(make_ready_issue(recipients=5))
    assert send.state == Send.State.PAUSED
    assert Attempt.objects.count() == 12
    mailgun.fault_always(None)
    mailgun.fault_next(too_many("1"))
    resume_send(send=send, by=make_approver())
    clock = Clock()
    assert run_send(send=send, adapter=current_adapter(), clock=clock, sleep=clock.nap).state == Send.State.SUBMITTED


@pytest.mark.requirement("F9")
def test_sending_a_batch_again_resets_the_failures(mailgun, settings):
    settings.NEWSLETTER_PROVIDER_URL = mailgun.provider_url + "&max_batch=1"
    mailgun.fault_always(Fault("reset_after_accepting"))
    send = send_issue(make_ready_issue(recipients=19))
    assert send.state == Send.State.NEEDS_ATTENTION
    for batch in Batch.objects.order_by("seq")[:2]:
        send_again(batch=batch, by=make_approver(), now=NOW)
    send.refresh_from_db()
    clock = Clock()
    assert (
        run_send(send=send, adapter=current_adapter(), clock=clock, sleep=clock.nap).state == Send.State.NEEDS_ATTENTION
    )


def test_a_batch_that_cannot_be_rebuilt_is_uncertain_others_continue(resend, settings):
    """The provider takes fewer people a call than when the batch was first handed over. Its parts would be mailed twice."""
    resend.fault_on(1, Fault("reset_after_accepting"))
    send = start_send(issue=make_ready_issue(recipients=20), now=NOW)
    Dispatcher(adapter=current_adapter(), clock=lambda: NOW).dispatch(send.batches.order_by("seq")[0].pk)
    settings.NEWSLETTER_PROVIDER_URL = settings.NEWSLETTER_PROVIDER_URL.replace("max_batch=10", "max_batch=5")
    clock = Clock()
    send = run_send(send=send, adapter=current_adapter(), clock=clock, sleep=clock.nap)
    assert send.state == Send.State.NEEDS_ATTENTION
    deliveries = make_receipt(send).deliveries
    assert (deliveries["accepted"], deliveries["uncertain"], deliveries["pending"]) == (10, 10, 0)
    assert set(resend.accepted_counts().values()) == {1}
    assert "can no longer be made" in send.batches.get(state="uncertain").reason


def test_an_error_in_one_send_does_not_keep_others_from_ending(monkeypatch, caplog):
    sends = [make_send(recipients=1)]
    moved = "moved@example.org"
    Subscriber.objects.update(email=moved, address_hash=identify(moved))
    sends.append(make_send(recipients=1, slug="second"))
    broken = max(send.pk for send in sends)
    found = sweep_module.find_attention_reason

    def fail_once(send: Send) -> str:
        if send.pk == broken:
            raise DatabaseError("locked")
        return found(send)

    monkeypatch.setattr(sweep_module, "find_attention_reason", fail_once)
    assert [send.pk for send in finish_sends(now=NOW)] == [min(send.pk for send in sends)]
    assert f"Send {broken} was not ended: locked" in caplog.text
