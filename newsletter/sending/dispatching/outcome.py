"""Record the result of an attempt. Only the holder of the claim changes the batch; a late answer changes nothing."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

from django.db import transaction
from django.db.models import F, QuerySet

from newsletter.common.messages import Message
from newsletter.models import Attempt, Batch, DeliveryException, Send, transition
from newsletter.providers.base.contract import Outcome, Verdict
from newsletter.sending.dispatching.batch_claim import Claim
from newsletter.sending.dispatching.batch_rows import Settlement, end_attempt, settle_batch
from newsletter.sending.limits.rate_limit import wait_before_retry
from newsletter.sending.limits.send_window import find_unmovable, mark_unmovable_uncertain
from newsletter.sending.limits.split_batches import derive_key, halve, split_off
from newsletter.sending.settling.render_failures import find_too_many_failures, was_stopped_by_render_failures
from newsletter.sending.settling.uncertain_recipients import resolve_as_accepted

MAX_ATTEMPTS = 12
MAX_FAILURES = 20

_STATE = {
    Verdict.ACCEPTED: Batch.State.ACCEPTED,
    Verdict.REJECTED: Batch.State.REJECTED,
    Verdict.THROTTLED: Batch.State.PENDING,
    Verdict.NOT_SENT: Batch.State.PENDING,
    Verdict.UNCERTAIN: Batch.State.UNCERTAIN,
}
_EXCEPTION_STATES = {
    Verdict.REJECTED: DeliveryException.State.REJECTED,
    Verdict.UNCERTAIN: DeliveryException.State.UNCERTAIN,
}
_UNANSWERED = (Verdict.NOT_SENT, Verdict.UNCERTAIN)
RETRIED = (Verdict.THROTTLED, Verdict.NOT_SENT)
_ANSWERED = ("accepted", "throttled", "rejected")


@dataclass(frozen=True)
class FailedHere(Outcome):
    """The outcome of a defect of this program. It says nothing about the provider's account."""


@transaction.atomic
def record_outcome(
    *,
    claim: Claim,
    outcome: Outcome,
    now: datetime,
    code: Attempt.Code = Attempt.Code.NONE,
    unrendered: Collection[int] = (),
    fingerprints: bytes = b"",
) -> bool:
    """Close the attempt and settle the batch. Return False and settle nothing if another worker has the batch by now.

    ``code`` classifies the attempt. ``unrendered``: deliveries that could not be rendered. ``fingerprints`` are kept unless
    the provider certainly got nothing.
    """
    was_handed_over = outcome.verdict not in RETRIED or outcome.people
    end_attempt(
        claim.batch,
        outcome=outcome.verdict.value,
        detail=outcome.reason,
        code=code,
        fingerprints=fingerprints if was_handed_over else b"",
        now=now,
    )
    retry_at = now + wait_before_retry(attempts=claim.attempt_number, retry_after=outcome.retry_after)
    state = _find_state(outcome)
    if not _settle_batch(claim, outcome, state=state, code=code, retry_at=retry_at, now=now):
        return False
    _record_people(claim, outcome, unrendered=unrendered, retry_at=retry_at, now=now)
    same_as_batch = [recipient.delivery for recipient in claim.recipients if recipient.delivery not in outcome.people]
    if claim.attempt_number > 1 and outcome.verdict is Verdict.ACCEPTED:
        resolve_as_accepted(same_as_batch)
    if state == Batch.State.REJECTED and outcome.bisect and len(same_as_batch) > 1:
        handed_to = claim.batch.account if claim.may_be_accepted else ""
        halve(batch=claim.batch, deliveries=same_as_batch, handed_to=handed_to)
    _pause_after_repeated_failures(claim, outcome, is_pending=state == Batch.State.PENDING, code=code, now=now)
    if unrendered or code == Attempt.Code.RENDER_FAILURE:
        _pause_on_render_failures(claim)
    return True


def count_failures(send_id: int) -> int:
    """Count the send's newest calls in a row that failed, up to MAX_FAILURES. Attempts without a call do not count."""
    calls = _calls_since_resumed().filter(batch__send=send_id, ended_at__isnull=False)
    outcomes = calls.order_by("-ended_at", "-pk").values_list("outcome", flat=True)[:MAX_FAILURES]
    return sum(1 for _ in takewhile(lambda outcome: outcome not in _ANSWERED, outcomes))


def pause_failing_send(*, send: Send, reason: str, code: Send.Code = Send.Code.NONE) -> None:
    """Pause a send because further attempts would fail too. ``code`` says whether another account may send the rest."""
    transition(send, from_states=[Send.State.SUBMITTING], to=Send.State.PAUSED, reason=reason, code=code)


def _find_state(outcome: Outcome) -> Batch.State:
    """Return the batch's new state. It is pending again only if nobody in it can have been accepted."""
    differing = {verdict for verdict, _ in outcome.people.values()}
    if outcome.verdict is Verdict.ACCEPTED:
        return Batch.State.PARTIAL if differing - {Verdict.ACCEPTED} else Batch.State.ACCEPTED
    state = Batch.State.PENDING if outcome.stop and outcome.verdict is Verdict.REJECTED else _STATE[outcome.verdict]
    if state == Batch.State.PENDING and differing & {Verdict.ACCEPTED, Verdict.UNCERTAIN}:
        return Batch.State.UNCERTAIN
    return state


def _settle_batch(
    claim: Claim, outcome: Outcome, *, state: Batch.State, code: Attempt.Code, retry_at: datetime, now: datetime
) -> bool:
    """Write the batch's state after submitting. Return False if another worker has the batch by now.

    Acceptance is evidence even if it comes late: it also settles a batch that was given up as uncertain.
    """
    states = [Batch.State.SUBMITTING]
    if state in (Batch.State.ACCEPTED, Batch.State.PARTIAL):
        states.append(Batch.State.UNCERTAIN)
    is_pending = state == Batch.State.PENDING
    unrendered = code == Attempt.Code.RENDER_FAILURE
    settlement = Settlement(
        state=state,
        reason=outcome.reason,
        code=Batch.Code.RENDER_FAILURE if unrendered else Batch.Code.NONE,
        handed_to="" if is_pending and not claim.may_be_accepted else claim.batch.account,
        provider_id=outcome.provider_id[:200],
        not_before=retry_at if is_pending else None,
        settled_at=None if is_pending else now,
    )
    return settle_batch(claim.batch, settlement, from_states=states)


def _record_people(
    claim: Claim, outcome: Outcome, *, unrendered: Collection[int], retry_at: datetime, now: datetime
) -> None:
    """Record people whose verdict differs from the batch's: as an exception, or in a new batch for another attempt.

    The new batch stays with the account if the account may have accepted an earlier attempt.
    """
    batch, handed_to = claim.batch, claim.batch.account if claim.may_be_accepted else ""
    differing = {delivery: result for delivery, result in outcome.people.items() if result[0] is not outcome.verdict}
    if not differing:
        return
    retried = [delivery for delivery, (verdict, _) in differing.items() if verdict in RETRIED]
    if retried and outcome.verdict not in RETRIED:
        key = derive_key(batch, "retried")
        split_off(batch=batch, deliveries=retried, not_before=retry_at, handed_to=handed_to, key=key)
    codes = dict.fromkeys(unrendered, DeliveryException.Code.RENDER_FAILURE)
    DeliveryException.objects.bulk_create(
        (
            DeliveryException(
                delivery_id=delivery,
                state=_EXCEPTION_STATES[verdict],
                reason=reason,
                code=codes.get(delivery, DeliveryException.Code.NONE),
                at=now,
            )
            for delivery, (verdict, reason) in differing.items()
            if verdict in _EXCEPTION_STATES
        ),
        update_conflicts=True,
        unique_fields=["delivery"],
        update_fields=["state", "reason", "code", "at"],
    )


def _pause_after_repeated_failures(
    claim: Claim, outcome: Outcome, *, is_pending: bool, code: Attempt.Code, now: datetime
) -> None:
    """Pause if the outcome says stop, or after too many calls of the batch or failures of the send.

    Attempts that ended before the provider was called do not count: the batch only waits longer after each.
    A batch that cannot follow the rest of its send to another account is left to staff instead.
    """
    was_called = code not in Attempt.CODES_WITHOUT_CALL and not isinstance(outcome, FailedHere)
    away = Send.Code.ACCOUNT_AWAY if was_called and outcome.verdict in _UNANSWERED else Send.Code.NONE
    reason, pause_code, may_be_left = outcome.reason, away, True
    if outcome.stop:
        pause_code = Send.Code.ACCOUNT_REFUSED if code == Attempt.Code.ACCOUNT_REFUSED else away
        may_be_left = pause_code != Send.Code.NONE
    elif not was_called:
        return
    elif not is_pending or _calls_since_resumed().filter(batch=claim.batch).count() < MAX_ATTEMPTS:
        if outcome.verdict not in _UNANSWERED or count_failures(claim.batch.send_id) < MAX_FAILURES:
            return
        reason = Message(
            "%(failures)s calls in a row failed. The last one: %(detail)s",
            failures=MAX_FAILURES,
            detail=outcome.reason,
        )
    if not (may_be_left and _leave_to_staff(claim, outcome, now=now)):
        pause_failing_send(send=claim.batch.send, reason=reason, code=pause_code)


def _leave_to_staff(claim: Claim, outcome: Outcome, *, now: datetime) -> bool:
    """Leave the batch to staff if its account may have it and the rest of the send uses another account. Return True if left."""
    if not claim.may_be_accepted:
        return False
    batch = Batch.objects.filter(pk=claim.batch.pk, attempt_number=claim.attempt_number)
    if outcome.verdict is Verdict.UNCERTAIN:
        return find_unmovable(batch).exists()
    return bool(mark_unmovable_uncertain(batch, detail=outcome.reason, now=now))


def _pause_on_render_failures(claim: Claim) -> None:
    """Pause if the mail could not be made for too many people, unless staff resumed the send knowing that."""
    if was_stopped_by_render_failures(claim.batch, before=claim.attempt_number):
        return
    send = Send.objects.get(pk=claim.batch.send_id)
    reason = find_too_many_failures(send)
    if reason:
        pause_failing_send(send=send, reason=reason)


def _calls_since_resumed() -> QuerySet[Attempt]:
    """Return the attempts that called the provider since staff last resumed their send. Staff have seen what failed before."""
    since = Attempt.objects.filter(pk__gt=F("batch__send__resumed_after_attempt"))
    return since.exclude(code__in=Attempt.CODES_WITHOUT_CALL)
