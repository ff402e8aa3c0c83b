"""What a person may do with a send: pause it, let it go on, cancel it, and say what became of an uncertain batch."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from newsletter.common.errors import NotAllowed, WrongState
from newsletter.common.messages import Message
from newsletter.issues.approval.publication_switches import require_issue_enabled
from newsletter.models import Attempt, Batch, Issue, Send, move
from newsletter.sending.settling.uncertain_recipients import settle_unsubscribed
from newsletter.sending.wake_up_signal import send_wake_up_signal

RUNNING = (Send.State.PREPARING, Send.State.READY, Send.State.SUBMITTING)
SENT_AGAIN = Message("sent again, at the risk of a second mail")
NOT_SENT_AGAIN = Message("the send was cancelled before it was handed over again; nobody knows about the call before")


def pause_send(*, send: Send, by: Any, reason: str = "") -> None:
    """Calls that are under way are finished; no new one is made."""
    _require_permission(by)
    why = Message("paused by %(by)s", by=by)
    if reason:
        why = Message("paused by %(by)s: %(reason)s", by=by, reason=reason)
    if not move(send, of=[Send.State.SUBMITTING], to=Send.State.PAUSED, reason=why[:500]):
        raise WrongState(
            _("%(send)s is %(state)s; only one that is being submitted can be paused.")
            % {"send": send, "state": send.get_state_display()}
        )


def resume_send(*, send: Send, by: Any) -> None:
    """Go on where it stopped; batches that were put off are due at once, and what failed before counts no more.

    Raises SwitchedOff while the publication is switched off.
    """
    _require_permission(by)
    require_issue_enabled(send.issue)
    with transaction.atomic():
        seen = _find_newest_attempt(send)
        if not move(
            send, of=[Send.State.PAUSED], to=Send.State.SUBMITTING, reason="", ended_at=None, resumed_after=seen
        ):
            raise WrongState(
                _("%(send)s is %(state)s; only a paused one can go on.")
                % {"send": send, "state": send.get_state_display()}
            )
        send.batches.filter(state=Batch.State.PENDING).update(not_before=None)
        send_wake_up_signal(send)


def cancel_send(*, send: Send, by: Any, now: datetime) -> None:
    """End it for good. Who was not handed over yet is skipped; who was, or may have been, cannot be called back."""
    _require_permission(by)
    with transaction.atomic():
        of = [*RUNNING, Send.State.PAUSED, Send.State.NEEDS_ATTENTION]
        if not move(send, of=of, to=Send.State.CANCELLED, reason=Message("cancelled by %(by)s", by=by), ended_at=now):
            raise WrongState(
                _("%(send)s is %(state)s; there is nothing left to cancel.")
                % {"send": send, "state": send.get_state_display()}
            )
        tried = send.batches.filter(state=Batch.State.PENDING, tries__outcome="uncertain")
        tried.update(state=Batch.State.UNCERTAIN, reason=NOT_SENT_AGAIN)
        move(send.issue, of=[Issue.State.SENDING, Issue.State.APPROVED], to=Issue.State.CANCELLED)


def end_send(*, send: Send, by: Any, now: datetime) -> None:
    """A person has looked at what is left and leaves it: the issue counts as sent, and the receipt keeps what is unknown."""
    _require_permission(by)
    if send.batches.filter(state=Batch.State.UNCERTAIN).exists():
        raise WrongState(
            _("%(send)s still has uncertain batches. Say of each what became of it, then end the send.")
            % {"send": send}
        )
    with transaction.atomic():
        if not move(
            send,
            of=[Send.State.NEEDS_ATTENTION],
            to=Send.State.SUBMITTED,
            reason=Message("ended by %(by)s", by=by),
            ended_at=now,
        ):
            raise WrongState(
                _("%(send)s is %(state)s; only one that needs attention is ended by hand.")
                % {"send": send, "state": send.get_state_display()}
            )
        move(send.issue, of=[Issue.State.SENDING], to=Issue.State.SENT)


def settle_as_accepted(*, batch: Batch, by: Any, now: datetime) -> None:
    """A person found out that the provider took it."""
    _settle(batch, by=by, to=Batch.State.ACCEPTED, words=Message("taken to be accepted"), now=now)


def write_off(*, batch: Batch, by: Any, now: datetime) -> None:
    """A person decides to leave it: some of its people may not have got the issue, and none gets it twice."""
    _settle(batch, by=by, to=Batch.State.WRITTEN_OFF, words=Message("written off"), now=now)


def send_again(*, batch: Batch, by: Any, now: datetime) -> None:
    """A person decides to send it once more, knowing that its people may then get the issue twice. It goes at once."""
    require_issue_enabled(batch.send.issue)
    with transaction.atomic():
        _settle(batch, by=by, to=Batch.State.PENDING, words=SENT_AGAIN, now=now)
        alive = Send.objects.filter(pk=batch.send_id).exclude(state=Send.State.CANCELLED)
        if not alive.update(resumed_after=_find_newest_attempt(batch.send)):
            raise WrongState(
                _("%(send)s was cancelled, so nothing of it is sent again. Say that the provider took it, or leave it.")
                % {"send": batch.send}
            )
        reopen_send(batch.send)


def reopen_send(send: Send) -> None:
    """A send has batches to do again: it runs, and whoever sends is told. Belongs into the transaction that says so."""
    move(send, of=[Send.State.NEEDS_ATTENTION], to=Send.State.SUBMITTING, reason="", ended_at=None)
    if send.state == Send.State.SUBMITTING:
        send_wake_up_signal(send)


def _settle(batch: Batch, *, by: Any, to: str, words: str, now: datetime) -> None:
    _require_permission(by)
    with transaction.atomic():
        settled = None if to == Batch.State.PENDING else now
        reason = Message("%(words)s by %(by)s", words=words, by=by)
        if not move(batch, of=[Batch.State.UNCERTAIN], to=to, reason=reason[:500], settled_at=settled, not_before=None):
            raise WrongState(
                _("%(batch)s is %(state)s; only an uncertain one is a person's to settle.")
                % {"batch": batch, "state": batch.get_state_display()}
            )
        Attempt.objects.filter(batch=batch, n=batch.attempts).update(detail=reason[:500])
        if to == Batch.State.ACCEPTED:
            settle_unsubscribed([batch.pk])


def _find_newest_attempt(send: Send) -> int:
    return Attempt.objects.filter(batch__send=send).aggregate(newest=Max("pk"))["newest"] or 0


def _require_permission(by: Any) -> None:
    if not by.has_perm("newsletter.send_issue"):
        raise NotAllowed(_("%(by)s may not steer sends. An administrator can give the role “approver”.") % {"by": by})
