"""Writes down what a call came to. Only the holder of the claim moves the batch; a late answer changes nothing."""

from datetime import datetime, timedelta

from django.db import transaction

from newsletter.models import Attempt, Batch, DeliveryException, Send, move
from newsletter.providers.contract import Outcome, Verdict
from newsletter.sending.claim import Claim

FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=10)
MOST_TRIES = 12

_STATE = {
    Verdict.ACCEPTED: Batch.State.ACCEPTED,
    Verdict.REJECTED: Batch.State.REJECTED,
    Verdict.THROTTLED: Batch.State.PENDING,
    Verdict.NOT_SENT: Batch.State.PENDING,
    Verdict.UNCERTAIN: Batch.State.UNCERTAIN,
}


@transaction.atomic
def record_outcome(*, claim: Claim, outcome: Outcome, now: datetime) -> bool:
    """Close the attempt and move the batch. Returns False, moving nothing, where the claim was lost meanwhile."""
    detail = outcome.reason[:500]
    Attempt.objects.filter(batch=claim.batch, n=claim.n, ended_at__isnull=True).update(
        ended_at=now, outcome=outcome.verdict.value, detail=detail
    )
    state = _state(outcome)
    back = state == Batch.State.PENDING
    moved = Batch.objects.filter(pk=claim.batch.pk, state=Batch.State.SUBMITTING, attempts=claim.n).update(
        state=state,
        reason=detail,
        lease_until=None,
        provider_id=outcome.provider_id[:200],
        not_before=now + wait_before_next(tries=claim.n, retry_after=outcome.retry_after) if back else None,
        settled_at=None if back else now,
    )
    if not moved:
        return False
    _record_people(outcome, now=now)
    if outcome.stop or (back and claim.n >= MOST_TRIES):
        pause_for(send=claim.batch.send, reason=detail)
    return True


def wait_before_next(*, tries: int, retry_after: float | None) -> timedelta:
    """What the provider asked for, else twice as long each time, up to ten minutes."""
    if retry_after is not None:
        return min(timedelta(seconds=max(retry_after, 1.0)), timedelta(hours=6))
    doubled: timedelta = FIRST_WAIT * 2 ** min(tries - 1, 10)
    return min(doubled, LONGEST_WAIT)


def pause_for(*, send: Send, reason: str) -> None:
    """Stop a send that would only fail further, and say why."""
    move(send, of=[Send.State.SUBMITTING], to=Send.State.PAUSED, reason=reason[:500])


def _state(outcome: Outcome) -> str:
    if outcome.stop:
        return Batch.State.PENDING if outcome.verdict is not Verdict.UNCERTAIN else Batch.State.UNCERTAIN
    differs = any(verdict is not outcome.verdict for verdict, _ in outcome.people.values())
    if outcome.verdict is Verdict.ACCEPTED and differs:
        return Batch.State.PARTIAL
    return _STATE[outcome.verdict]


def _record_people(outcome: Outcome, *, now: datetime) -> None:
    own = {Verdict.REJECTED: DeliveryException.State.REJECTED, Verdict.UNCERTAIN: DeliveryException.State.UNCERTAIN}
    DeliveryException.objects.bulk_create(
        (
            DeliveryException(delivery_id=delivery, state=own.get(verdict, DeliveryException.State.UNCERTAIN), reason=reason[:300], at=now)
            for delivery, (verdict, reason) in outcome.people.items()
            if verdict is not outcome.verdict
        ),
        update_conflicts=True,
        unique_fields=["delivery"],
        update_fields=["state", "reason", "at"],
    )
