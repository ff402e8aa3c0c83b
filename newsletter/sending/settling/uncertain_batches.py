"""The decisions of staff about an uncertain batch: the provider accepted it, it stays uncertain, or it is sent again."""

from datetime import datetime

from django.db import transaction

from newsletter.common.errors import WrongState
from newsletter.common.messages import Message
from newsletter.issues.approval.publication_switches import require_issue_enabled
from newsletter.models import Attempt, Batch, Send, transition
from newsletter.sending.settling.send_controls import (
    Staff,
    find_newest_attempt,
    make_wrong_state,
    reopen_send,
    require_permission,
)
from newsletter.sending.settling.uncertain_recipients import (
    find_attention_reason,
    settle_unsubscribed,
    update_attention_reason,
)


def settle_as_accepted(*, batch: Batch, by: Staff, now: datetime) -> None:
    """Settle an uncertain batch: staff found out that the provider accepted it. Raise NotAllowed or WrongState."""
    with transaction.atomic():
        _settle(batch, by=by, to=Batch.State.ACCEPTED, reason=Message("marked as accepted by %(by)s", by=by), now=now)
        settle_unsubscribed([batch.pk])


def write_off(*, batch: Batch, by: Staff, now: datetime) -> None:
    """Leave an uncertain batch unsent: some of its people may not have the issue. Raise NotAllowed or WrongState."""
    _settle(batch, by=by, to=Batch.State.WRITTEN_OFF, reason=Message("left uncertain by %(by)s", by=by), now=now)


def send_again(*, batch: Batch, by: Staff, now: datetime) -> None:
    """Send an uncertain batch once more at once; its people may then get the issue twice.

    Raise NotAllowed, SwitchedOff, or WrongState, also if the send was cancelled.
    """
    require_issue_enabled(batch.send.issue)
    with transaction.atomic():
        _settle(
            batch,
            by=by,
            to=Batch.State.PENDING,
            reason=Message("sent again by %(by)s, at the risk of a second mail", by=by),
            code=Attempt.Code.SENT_AGAIN,
            now=now,
        )
        uncancelled = Send.objects.filter(pk=batch.send_id).exclude(state=Send.State.CANCELLED)
        if not uncancelled.update(resumed_after_attempt=find_newest_attempt(batch.send)):
            raise _was_cancelled(batch.send)
        reopen_send(batch.send)


def _settle(
    batch: Batch,
    *,
    by: Staff,
    to: Batch.State,
    reason: Message,
    now: datetime,
    code: Attempt.Code = Attempt.Code.NONE,
) -> None:
    """Settle an uncertain batch and note the reason, with a code for later decisions, on its newest attempt."""
    require_permission(by)
    _require_recipients(batch.send)
    with transaction.atomic():
        if not transition(
            batch,
            from_states=[Batch.State.UNCERTAIN],
            to=to,
            reason=reason,
            code=Batch.Code.NONE,
            settled_at=None if to == Batch.State.PENDING else now,
            not_before=None,
        ):
            raise _not_uncertain(batch)
        newest = Attempt.objects.filter(batch=batch, number=batch.attempt_number)
        newest.update(detail=reason, code=code)
        update_attention_reason(batch.send, reason=find_attention_reason(batch.send))


def require_uncertain(batch: Batch) -> None:
    """Raise WrongState if the batch is not uncertain any more, or the recipients of its send are deleted."""
    _require_recipients(batch.send)
    if batch.state != Batch.State.UNCERTAIN:
        raise _not_uncertain(batch)


def require_repeatable(batch: Batch) -> None:
    """Raise WrongState if the batch is not uncertain any more or its send was cancelled, SwitchedOff as `send_again` does."""
    require_issue_enabled(batch.send.issue)
    require_uncertain(batch)
    if batch.send.state == Send.State.CANCELLED:
        raise _was_cancelled(batch.send)


def _require_recipients(send: Send) -> None:
    if send.totals is not None:
        raise WrongState(
            "The recipients of %(send)s are deleted by now, and its delivery summary is final. Nothing was changed.",
            send=send,
        )


def _not_uncertain(batch: Batch) -> WrongState:
    return make_wrong_state(batch, Message("Only an uncertain batch can be settled by hand."))


def _was_cancelled(send: Send) -> WrongState:
    return WrongState(
        "%(send)s was cancelled, so nothing of it is sent again. Mark the batch as accepted, or leave it uncertain.",
        send=send,
    )
