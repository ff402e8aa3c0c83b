"""What goes round: expired leases, sends that never got going, and sends that have nothing left to do. Safe to repeat."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from newsletter.common.errors import DomainError
from newsletter.common.messages import Message
from newsletter.models import Attempt, Batch, Issue, Send, move
from newsletter.sending.dispatching.claim import LEFT
from newsletter.sending.freezing.start import prepare_send
from newsletter.sending.limits.installation_hold import check_installation
from newsletter.sending.settling.clock_skew import MAX_LEASE, clear_far_future_times
from newsletter.sending.settling.send_controls import reopen_send
from newsletter.sending.settling.uncertain_recipients import find_uncertain_recipients

START_TIMEOUT = timedelta(minutes=2)
LEASE_EXPIRED = Message("the worker was lost during the call; we do not know what the provider did")
OPEN_STATES = (Batch.State.PENDING, Batch.State.SUBMITTING)
RUNNING_STATES = (Send.State.SUBMITTING, Send.State.NEEDS_ATTENTION)


def wake_up(*, now: datetime) -> None:
    """What comes before any worker starts: is this our database, as new as what was done with it; who was lost meanwhile."""
    check_installation(now=now)
    clear_far_future_times(now=now)
    settle_expired_leases(now=now)


@transaction.atomic
def settle_expired_leases(*, now: datetime) -> int:
    """Batches whose worker did not come back are uncertain: never sent again unasked. Returns how many.

    A lease longer than any is one that was taken before the clock was put back.
    A row that somebody holds at this moment is left for the next round: a worker that stands still in the middle of a
    transaction must not make the others stand still with it.
    """
    over = Q(lease_until__lt=now) | Q(lease_until__gt=now + MAX_LEASE)
    lost = list(
        Batch.objects.filter(over, state=Batch.State.SUBMITTING)
        .select_for_update(skip_locked=True)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    Batch.objects.filter(pk__in=lost).update(
        state=Batch.State.UNCERTAIN, reason=LEASE_EXPIRED, lease_until=None, settled_at=now
    )
    Attempt.objects.filter(batch__in=lost, ended_at__isnull=True).update(
        ended_at=now, outcome="uncertain", detail=LEASE_EXPIRED
    )
    return len(lost)


def resume_stalled_starts(*, now: datetime) -> None:
    """Sends whose process died between being made and being handed to workers."""
    for send in Send.objects.filter(
        state__in=[Send.State.PREPARING, Send.State.READY], made_at__lt=now - START_TIMEOUT
    ):
        try:
            prepare_send(send=send, now=now)
        except DomainError:
            continue


def finish_sends(*, now: datetime) -> list[Send]:
    """Sends with no batch left to do: submitted, or in need of a person where something is uncertain or refused."""
    finished = []
    running = Send.objects.filter(state__in=RUNNING_STATES).select_related("issue")
    for send in running.exclude(Q(batches__state__in=OPEN_STATES)):
        attention_reason = _find_attention_reason(send)
        to = Send.State.NEEDS_ATTENTION if attention_reason else Send.State.SUBMITTED
        if send.state == to:
            Send.objects.filter(pk=send.pk, state=to).exclude(reason=attention_reason).update(reason=attention_reason)
            continue
        with transaction.atomic():
            if _finish_send(send, to=to, attention_reason=attention_reason, now=now):
                if to == Send.State.SUBMITTED:
                    move(send.issue, of=[Issue.State.SENDING], to=Issue.State.SENT)
                finished.append(send)
    _reopen_sends()
    return finished


def _finish_send(send: Send, *, to: Send.State, attention_reason: str, now: datetime) -> bool:
    """In one statement that looks at the batches once more: what was uncertain a moment ago may be about to go out again."""
    running = Send.objects.filter(pk=send.pk, state__in=RUNNING_STATES)
    if to == Send.State.SUBMITTED:
        running = running.exclude(batches__state__in=[*OPEN_STATES, Batch.State.UNCERTAIN])
    if not running.update(state=to, reason=attention_reason, ended_at=now):
        return False
    send.state, send.reason, send.ended_at = to, attention_reason, now
    return True


def _find_attention_reason(send: Send) -> str:
    alone = find_uncertain_recipients(send)
    left = alone.filter(reason__startswith=LEFT).count()
    uncertain = send.batches.filter(state=Batch.State.UNCERTAIN)
    refused = send.batches.filter(state=Batch.State.REJECTED, size__gt=1)
    unknown = alone.count() - left + sum(uncertain.values_list("size", flat=True))
    words = []
    if unknown:
        words.append(
            Message("for 1 person we do not know whether the provider took the mail")
            if unknown == 1
            else Message("for %(people)s people we do not know whether the provider took the mail", people=unknown)
        )
    if left:
        words.append(
            Message("for 1 person who unsubscribed meanwhile we do not know whether the mail came first")
            if left == 1
            else Message(
                "for %(people)s people who unsubscribed meanwhile we do not know whether the mail came first",
                people=left,
            )
        )
    if refused.exists():
        people = sum(refused.values_list("size", flat=True))
        words.append(
            Message(
                "the provider refused the mail of %(people)s people: %(refused)s",
                people=people,
                refused=refused.values_list("reason", flat=True)[0],
            )
        )
    return "; ".join(words)[:500]


def _reopen_sends() -> None:
    """A send that needed attention and has batches to do again is running again."""
    again = Send.objects.filter(state=Send.State.NEEDS_ATTENTION, batches__state__in=OPEN_STATES).distinct()
    for send in again:
        with transaction.atomic():
            reopen_send(send)
