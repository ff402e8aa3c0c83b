"""Writes down what a call came to. Only the holder of the claim moves the batch; a late answer changes nothing."""

from datetime import datetime, timedelta
from itertools import takewhile

from django.db import transaction
from django.db.models import F, QuerySet

from newsletter.common.messages import Message
from newsletter.models import Attempt, Batch, DeliveryException, Send, move
from newsletter.providers.base.contract import Outcome, Verdict
from newsletter.sending.dispatching.claim import Claim
from newsletter.sending.dispatching.statements import end_attempt, settle_batch
from newsletter.sending.limits.split_batches import halve, split_off
from newsletter.sending.settling.render_failures import REASON, find_too_many_failures, was_resumed_after_failures
from newsletter.sending.settling.uncertain_recipients import resolve_as_accepted

MIN_WAIT = timedelta(seconds=5)
MAX_WAIT = timedelta(minutes=10)
MAX_ATTEMPTS = 12
MOST_FAILURES = 20

_STATE = {
    Verdict.ACCEPTED: Batch.State.ACCEPTED,
    Verdict.REJECTED: Batch.State.REJECTED,
    Verdict.THROTTLED: Batch.State.PENDING,
    Verdict.NOT_SENT: Batch.State.PENDING,
    Verdict.UNCERTAIN: Batch.State.UNCERTAIN,
}
_OWN_STATE = {Verdict.REJECTED: DeliveryException.State.REJECTED, Verdict.UNCERTAIN: DeliveryException.State.UNCERTAIN}
_RETRIED = (Verdict.THROTTLED, Verdict.NOT_SENT)


@transaction.atomic
def record_outcome(*, claim: Claim, outcome: Outcome, now: datetime) -> bool:
    """Close the attempt and move the batch. Returns False, moving nothing, where the claim was lost meanwhile."""
    detail = outcome.reason[:500]
    end_attempt(claim.batch.pk, n=claim.n, outcome=outcome.verdict.value, detail=detail, now=now)
    state = _state(outcome)
    back = state == Batch.State.PENDING
    again_at = now + wait_before_next(tries=claim.n, retry_after=outcome.retry_after)
    moved = settle_batch(
        claim.batch.pk,
        n=claim.n,
        state=state,
        reason=detail,
        provider_id=outcome.provider_id[:200],
        not_before=again_at if back else None,
        settled_at=None if back else now,
    )
    if not moved:
        return False
    _record_people(claim.batch, outcome, again_at=again_at, now=now)
    if claim.n > 1 and outcome.verdict is Verdict.ACCEPTED:
        resolve_as_accepted(
            [recipient.delivery for recipient in claim.recipients if recipient.delivery not in outcome.people]
        )
    called = [recipient.delivery for recipient in claim.recipients if recipient.delivery not in outcome.people]
    if state == Batch.State.REJECTED and outcome.bisect and len(called) > 1:
        halve(batch=claim.batch, deliveries=called)
    _pause_if_hopeless(claim, outcome, back=back, detail=detail)
    _pause_on_render_failures(claim, outcome)
    return True


def _pause_on_render_failures(claim: Claim, outcome: Outcome) -> None:
    reasons = [outcome.reason, *(reason for _, reason in outcome.people.values())]
    if not any(reason.startswith(REASON) for reason in reasons) or was_resumed_after_failures(claim.batch, n=claim.n):
        return
    send = Send.objects.get(pk=claim.batch.send_id)
    why = find_too_many_failures(send)
    if why:
        pause_failing_send(send=send, reason=why)


def _pause_if_hopeless(claim: Claim, outcome: Outcome, *, back: bool, detail: str) -> None:
    """Pause at once where the provider will take nothing more, or after too many calls in a row that came to nothing."""
    if outcome.stop or (back and _attempts_since_resumed().filter(batch=claim.batch).count() >= MAX_ATTEMPTS):
        pause_failing_send(send=claim.batch.send, reason=detail)
        return
    came_to_nothing = outcome.verdict in (Verdict.NOT_SENT, Verdict.UNCERTAIN)
    if came_to_nothing and count_failures(claim.batch.send_id) >= MOST_FAILURES:
        pause_failing_send(
            send=claim.batch.send,
            reason=Message(
                "%(most_failures)s calls in a row came to nothing. The last: %(detail)s",
                most_failures=MOST_FAILURES,
                detail=detail,
            ),
        )


def count_failures(send_id: int) -> int:
    """How many of its last calls came to nothing, up to the number at which a send stops."""
    ended = _attempts_since_resumed().filter(batch__send=send_id, ended_at__isnull=False)
    verdicts = ended.order_by("-ended_at", "-pk").values_list("outcome", flat=True)[:MOST_FAILURES]
    return sum(1 for _ in takewhile(lambda verdict: verdict not in ("accepted", "throttled", "rejected"), verdicts))


def _attempts_since_resumed() -> QuerySet[Attempt]:
    """Tries made since a person last let the send go on: that person has seen what failed before."""
    return Attempt.objects.filter(pk__gt=F("batch__send__resumed_after"))


def wait_before_next(*, tries: int, retry_after: float | None) -> timedelta:
    """What the provider asked for, else twice as long each time, up to ten minutes."""
    if retry_after is not None:
        return min(timedelta(seconds=max(retry_after, 1.0)), timedelta(hours=6))
    doubled: timedelta = MIN_WAIT * 2 ** min(tries - 1, 10)
    return min(doubled, MAX_WAIT)


def pause_failing_send(*, send: Send, reason: str) -> None:
    """Stop a send that would only fail further, and say why."""
    move(send, of=[Send.State.SUBMITTING], to=Send.State.PAUSED, reason=reason[:500])


def _state(outcome: Outcome) -> str:
    """A batch goes back to pending only where nobody of it can have been taken."""
    own = {verdict for verdict, _ in outcome.people.values()}
    if outcome.verdict is Verdict.ACCEPTED:
        return Batch.State.PARTIAL if own - {Verdict.ACCEPTED} else Batch.State.ACCEPTED
    state = Batch.State.PENDING if outcome.stop and outcome.verdict is Verdict.REJECTED else _STATE[outcome.verdict]
    if state == Batch.State.PENDING and own & {Verdict.ACCEPTED, Verdict.UNCERTAIN}:
        return Batch.State.UNCERTAIN
    return state


def _record_people(batch: Batch, outcome: Outcome, *, again_at: datetime, now: datetime) -> None:
    """Who fared otherwise than the batch: an end of their own, or another try in a batch of their own."""
    differing = {d: said for d, said in outcome.people.items() if said[0] is not outcome.verdict}
    again = [delivery for delivery, (verdict, _) in differing.items() if verdict in _RETRIED]
    if again and outcome.verdict not in _RETRIED:
        split_off(batch=batch, deliveries=again, not_before=again_at)
    DeliveryException.objects.bulk_create(
        (
            DeliveryException(delivery_id=delivery, state=_OWN_STATE[verdict], reason=reason[:300], at=now)
            for delivery, (verdict, reason) in differing.items()
            if verdict in _OWN_STATE
        ),
        update_conflicts=True,
        unique_fields=["delivery"],
        update_fields=["state", "reason", "at"],
    )
