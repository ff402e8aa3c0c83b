"""The sweep: repair what stopped half-way and move every send on. Each step may be repeated at any time."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from newsletter.common.database.compiled_query import find_rows
from newsletter.common.messages import Message
from newsletter.models import Attempt, Batch, Issue, ProviderAccount, Send, transition
from newsletter.outbound.publishing_facts import report_sent
from newsletter.providers.accounts import DEFAULT_ACCOUNT
from newsletter.providers.base.contract import Adapter
from newsletter.sending.adapters import further_adapters, write_outbox_index
from newsletter.sending.canaries.canary_decision import decide_about_canaries
from newsletter.sending.canaries.send_canaries import send_canaries
from newsletter.sending.freezing.start import prepare_send
from newsletter.sending.limits.each_send import act_on_each, run_each
from newsletter.sending.limits.installation_hold import check_installation
from newsletter.sending.limits.rate_limit import recover_pace
from newsletter.sending.limits.send_window import enforce_send_window
from newsletter.sending.limits.step_work import acts_on, has_work
from newsletter.sending.settling.account_moves import continue_moves, move_to_second_accounts
from newsletter.sending.settling.receipt import describe_receipt
from newsletter.sending.settling.reconcile import ask_provider, replay_uncertain
from newsletter.sending.settling.release_local_hours import open_due_hours
from newsletter.sending.settling.send_controls import reopen_send
from newsletter.sending.settling.uncertain_recipients import (
    find_attention_reason,
    mark_cancelled_repeats,
    update_attention_reason,
)
from newsletter.sending.subject_tests.decide_subject import decide_due_tests

SWEEP_SECONDS = 5.0
START_TIMEOUT = timedelta(minutes=2)
MAX_WAIT = timedelta(hours=26)
"""The longest wait that any limit can cause: a daily limit on a day of 25 hours, with some margin."""
MAX_LEASE = timedelta(minutes=10)
LEASE_EXPIRED = Message("the worker stopped during the call, so it is unknown whether the provider accepted it")
RUNNING_STATES = (Send.State.SUBMITTING, Send.State.NEEDS_ATTENTION)
_GETS_NEW_SUBSCRIBERS = Q(state=Send.State.SUBMITTED) & ~Q(period="")
_NOT_STARTED = Q(state__in=(Send.State.PREPARING, Send.State.READY))


def sweep(*, adapter: Adapter, clock: Callable[[], datetime] = timezone.now) -> list[Send]:
    """Run every step once. Return the sends that ended. After an error in a step, run the others and raise it at the end.

    `_yield_steps` has the steps in their order. ``adapter`` is that of the default account.
    """
    # Not a step: if it cannot be checked that this database may send, nothing may be sent.
    check_installation(now=clock())
    if not has_work(now=clock()):
        return []
    finished: list[Send] = []
    run_each(_yield_steps(adapter=adapter, clock=clock, finished=finished))
    return finished


def _yield_steps(
    *, adapter: Adapter, clock: Callable[[], datetime], finished: list[Send]
) -> Iterator[Callable[[], object]]:
    """Yield the steps in their order, each with the time at which it runs. Add the sends that ended to ``finished``.

    Each step declares with ``acts_on`` what it acts on: the sweep does not run while there is nothing of all that.
    """
    yield partial(clear_far_future_times, now=clock())
    yield partial(settle_expired_leases, now=clock())
    yield partial(mark_cancelled_repeats, Batch.objects.all(), now=clock())
    yield partial(resume_stalled_starts, now=clock())
    yield partial(enforce_send_window, now=clock())
    yield partial(decide_due_tests, now=clock())
    yield partial(open_due_hours, now=clock())
    yield partial(recover_pace, seconds=SWEEP_SECONDS)
    yield partial(continue_moves, now=clock())
    yield partial(move_to_second_accounts, now=clock())
    adapters = {DEFAULT_ACCOUNT: adapter}
    yield partial(_add_further_adapters, adapters)
    for account, account_adapter in adapters.items():
        capabilities = account_adapter.capabilities
        yield partial(replay_uncertain, capabilities=capabilities, account=account, now=clock())
        yield partial(ask_provider, adapter=account_adapter, account=account, now=clock())
    yield partial(finish_sends, now=clock(), finished=finished)
    yield partial(send_canaries, adapters=adapters, now=clock())
    yield partial(decide_about_canaries, now=clock())
    for send in finished:
        yield partial(write_outbox_index, send)


def _add_further_adapters(adapters: dict[str, Adapter]) -> None:
    adapters.update(further_adapters())


def prepare_for_work(*, now: datetime) -> None:
    """Check that this database may send, and release the batches of workers that died.

    Call it before a worker starts.
    """
    check_installation(now=now)
    clear_far_future_times(now=now)
    settle_expired_leases(now=now)


def _find_far_future_accounts(now: datetime) -> QuerySet[ProviderAccount]:
    latest = (now + MAX_WAIT).timestamp()
    return ProviderAccount.objects.filter(Q(next_at__gt=latest) | Q(wait_until__gt=latest))


@acts_on(_find_far_future_accounts)
def clear_far_future_times(*, now: datetime) -> None:
    """Clear waits that are longer than any limit can cause. They remain after a clock was set back."""
    waiting = Batch.objects.filter(state__in=[Batch.State.PENDING, Batch.State.UNCERTAIN])
    waiting.filter(not_before__gt=now + MAX_WAIT).update(not_before=None)
    latest = (now + MAX_WAIT).timestamp()
    ProviderAccount.objects.filter(next_at__gt=latest).update(next_at=now.timestamp())
    ProviderAccount.objects.filter(wait_until__gt=latest).update(wait_until=now.timestamp())
    Send.objects.filter(next_call_at__gt=latest).update(next_call_at=now.timestamp())


def _find_calls(now: datetime) -> QuerySet[Batch]:
    """Return the batches with a running call. Filtering by send makes the database use an index, not read all batches."""
    return Batch.objects.filter(send__in=Send.objects.order_by().values("pk"), state=Batch.State.SUBMITTING)


@acts_on(_find_calls)
@transaction.atomic
def settle_expired_leases(*, now: datetime) -> int:
    """Mark the batches of lost workers uncertain, never pending: their calls may have been accepted. Return how many.

    A lease that ends later than MAX_LEASE from now dates from before the clock was set back. Skip rows locked by
    another transaction; the next sweep handles them.
    """
    expired = Q(lease_until__lt=now) | Q(lease_until__gt=now + MAX_LEASE)
    lost = list(
        Batch.objects.filter(expired, state=Batch.State.SUBMITTING)
        .select_for_update(skip_locked=True)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    Batch.objects.filter(pk__in=lost).update(
        state=Batch.State.UNCERTAIN, reason=LEASE_EXPIRED, code=Batch.Code.NONE, lease_until=None, settled_at=now
    )
    Attempt.objects.filter(batch__in=lost, ended_at__isnull=True).update(
        ended_at=now, outcome="uncertain", detail=LEASE_EXPIRED, code=Attempt.Code.WORKER_LOST
    )
    return len(lost)


@acts_on(sends=_NOT_STARTED)
def resume_stalled_starts(*, now: datetime) -> None:
    """Start the sends whose process stopped between creating them and handing them to workers."""
    stalled = find_rows(_find_stalled_starts, now=now)
    act_on_each(stalled, lambda send: prepare_send(send=send, now=now), failure="Send %s was not started")


def _find_stalled_starts(now: datetime) -> QuerySet[Send]:
    return Send.objects.filter(_NOT_STARTED, made_at__lt=now - START_TIMEOUT)


def _find_late_batches(now: datetime) -> QuerySet[Batch]:
    """Return the batches that a welcome mail's send got after its end."""
    ended = Send.objects.filter(_GETS_NEW_SUBSCRIBERS).order_by()
    return Batch.objects.filter(send__in=ended.values("pk"), state=Batch.State.PENDING)


@acts_on(_find_late_batches, sends=Q(state__in=RUNNING_STATES))
def finish_sends(*, now: datetime, finished: list[Send] | None = None) -> list[Send]:
    """End the sends that have no batch left to do. Return them. An error in one send does not stop others.

    They are submitted, or need attention if something is uncertain or refused. ``finished`` gets them also if an error is
    raised at the end.
    """
    finished = [] if finished is None else finished
    run_each((partial(_end_sends, finished=finished, now=now), partial(_reopen_sends, now=now)))
    return finished


def _end_sends(*, finished: list[Send], now: datetime) -> None:
    done = find_rows(_find_done, now=now)
    results: list[tuple[Send, bool]] = []
    try:
        act_on_each(done, partial(_end_send, now=now), failure="Send %s was not ended", results=results)
    finally:
        finished.extend(send for send, has_ended in results if has_ended)


def _find_done(_: datetime) -> QuerySet[Send]:
    running = Send.objects.filter(state__in=RUNNING_STATES).select_related("issue")
    return running.exclude(Q(batches__state__in=Batch.OPEN_STATES))


def _end_send(send: Send, *, now: datetime) -> bool:
    """End the send. Return False if it has ended already, or has a pending batch again."""
    reason = find_attention_reason(send)
    to = Send.State.NEEDS_ATTENTION if reason else Send.State.SUBMITTED
    if send.state == to:
        update_attention_reason(send, reason=reason)
        return False
    with transaction.atomic():
        if not _finish_send(send, to=to, reason=reason, now=now):
            return False
        if to == Send.State.SUBMITTED:
            transition(send.issue, from_states=[Issue.State.SENDING], to=Issue.State.SENT)
        report_sent(send, receipt=partial(describe_receipt, send), now=now)
    return True


def _finish_send(send: Send, *, to: Send.State, reason: str, now: datetime) -> bool:
    """End the send in one statement that checks its batches again: an uncertain one may have become pending."""
    running = Send.objects.filter(pk=send.pk, state__in=RUNNING_STATES)
    if to == Send.State.SUBMITTED:
        running = running.exclude(batches__state__in=Batch.UNFINISHED_STATES)
    if not running.update(state=to, reason=reason, code=Send.Code.NONE, ended_at=now):
        return False
    send.state, send.reason, send.code, send.ended_at = to, reason, Send.Code.NONE, now
    return True


def _find_sends_to_reopen(_: datetime) -> QuerySet[Send]:
    ended = Q(state=Send.State.NEEDS_ATTENTION) | _GETS_NEW_SUBSCRIBERS
    return Send.objects.filter(ended, batches__state__in=Batch.OPEN_STATES).distinct()


def _reopen_sends(*, now: datetime) -> None:
    """Resume the sends that needed attention and have batches to do again, and those that got new subscribers."""
    waiting = find_rows(_find_sends_to_reopen, now=now)
    act_on_each(waiting, transaction.atomic(reopen_send), failure="Send %s was not reopened")
