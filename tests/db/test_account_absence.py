"""An account is away only by calls that were made: what this program did without a call counts on neither side."""

from datetime import timedelta
from unittest.mock import patch

import pytest

from newsletter.models import AccountMove, Attempt, Batch, ProviderAccount, Send, SendingDay
from newsletter.sending.adapters import account_label, current_adapter
from newsletter.sending.dispatching.dispatcher import Dispatcher
from newsletter.sending.settling.account_moves import move_to_second_accounts
from newsletter.sending.settling.sweep import sweep
from subscribers.models import Subscriber
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_all
from tests.support.accounts import check_everybody_once, run, start
from tests.support.fixtures import NOW
from tests.support.provider_faults import Fault, answer
from tests.support.sends import Clock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
LATER = NOW + timedelta(minutes=6)


@pytest.fixture(autouse=True)
def away_after_five_minutes(settings):
    settings.NEWSLETTER_ACCOUNT_AWAY_MINUTES = 5


def dispatch(batch: Batch, *, now) -> Attempt:
    Batch.objects.filter(pk=batch.pk).update(not_before=None)
    ProviderAccount.objects.update(next_at=0, wait_until=0)
    assert Dispatcher(adapter=current_adapter(), clock=lambda: now).dispatch(batch.pk)
    return batch.attempts.order_by("-number")[0]


def unsubscribe_all_of(batch: Batch) -> None:
    for person in Subscriber.objects.filter(pk__in=batch.deliveries.values("subscriber_id")):
        unsubscribe_from_all(subscriber=person, now=NOW)


def test_a_batch_without_recipients_does_not_end_an_absence(two_accounts):
    send = start()
    one, two, three = send.batches.order_by("seq")[:3]
    two_accounts[0].stop_listening()
    dispatch(one, now=NOW)
    unsubscribe_all_of(two)
    attempt = dispatch(two, now=LATER)
    assert (attempt.outcome, attempt.code) == ("accepted", Attempt.Code.NOT_CALLED)
    dispatch(three, now=LATER)
    assert [move.code for move in move_to_second_accounts(now=LATER)] == [AccountMove.Code.AWAY]


@pytest.mark.parametrize("code", Attempt.CODES_WITHOUT_CALL)
def test_a_render_failure_does_not_end_an_absence(two_accounts, code):
    send = start()
    one, two, three = send.batches.order_by("seq")[:3]
    two_accounts[0].stop_listening()
    dispatch(one, now=NOW)
    Attempt.objects.create(
        batch=two,
        number=1,
        provider=account_label(),
        people=10,
        started_at=NOW,
        ended_at=NOW,
        outcome="rejected",
        code=code,
    )
    dispatch(three, now=LATER)
    assert len(move_to_second_accounts(now=LATER)) == 1


def test_a_retry_that_was_not_made_is_not_an_absence(two_accounts):
    send = start()
    batch = send.batches.order_by("seq")[0]
    earlier = dispatch_uncertain(batch, first=two_accounts[0])
    assert earlier.outcome == "uncertain"
    Batch.objects.filter(pk=batch.pk).update(state="pending")
    Attempt.objects.filter(pk=earlier.pk).update(provider="mailgun:another")
    attempt = dispatch(batch, now=LATER)
    assert (attempt.outcome, attempt.code) == ("uncertain", Attempt.Code.NOT_CALLED)
    assert move_to_second_accounts(now=LATER + timedelta(hours=1)) == []


def dispatch_uncertain(batch: Batch, *, first) -> Attempt:
    first.fault_next(answer(503, b"Service Unavailable"))
    first.query_fault = answer(503)
    return dispatch(batch, now=NOW)


@pytest.mark.parametrize(
    "fault", [answer(200, b"<html>Sign in</html>"), answer(302, b"", location="http://127.0.0.1:1/sign-in")]
)
def test_a_web_page_in_place_of_the_account_is_an_absence(two_accounts, fault: Fault):
    first, second = two_accounts
    first.fault_always(fault)
    first.query_fault = fault
    clock = Clock()
    send = run(start(), clock)
    assert (send.state, send.code) == (Send.State.PAUSED, Send.Code.ACCOUNT_AWAY)
    assert Attempt.objects.count() == 1
    clock.now = LATER
    sweep(adapter=current_adapter(), clock=clock)
    send.refresh_from_db()
    send = run(send, clock)
    assert AccountMove.objects.get().code == AccountMove.Code.AWAY
    check_everybody_once(send, first, second, uncertain=10)


def test_an_error_of_this_program_is_not_an_absence(two_accounts):
    send = start()
    with patch.object(type(current_adapter()), "deliver", side_effect=KeyError("defect")):
        attempt = dispatch(send.batches.order_by("seq")[0], now=NOW)
    assert attempt.outcome == "uncertain"
    send.refresh_from_db()
    assert (send.state, send.code) == (Send.State.PAUSED, Send.Code.NONE)
    assert move_to_second_accounts(now=LATER) == []


def test_an_answer_of_the_account_ends_an_absence(two_accounts):
    send = start()
    one, two, three = send.batches.order_by("seq")[:3]
    two_accounts[0].stop_listening()
    dispatch(one, now=NOW)
    two_accounts[0].start_listening()
    assert dispatch(two, now=LATER).code == Attempt.Code.NONE
    two_accounts[0].stop_listening()
    dispatch(three, now=LATER)
    assert move_to_second_accounts(now=LATER) == []


def test_a_batch_without_a_call_neither_counts_nor_speeds_up(two_accounts):
    send = start(people_per_day=50)
    one, two = send.batches.order_by("seq")[:2]
    two_accounts[0].stop_listening()
    dispatch(one, now=NOW)
    ProviderAccount.objects.update(failures=3)
    unsubscribe_all_of(two)
    dispatch(two, now=LATER)
    assert ProviderAccount.objects.get().failures == 3
    assert sum(SendingDay.objects.values_list("people", flat=True)) == 0
    assert Send.objects.get().state == Send.State.SUBMITTING
