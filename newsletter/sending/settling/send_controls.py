"""The controls of a send for staff: pause, resume, cancel or end it."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from newsletter.common.errors import NotAllowed, WrongState
from newsletter.common.messages import Message
from newsletter.issues.approval.hold import hold_issue
from newsletter.issues.approval.publication_switches import require_issue_enabled
from newsletter.models import Attempt, Batch, Issue, Send, transition
from newsletter.outbound.publishing_facts import report_issue, report_sent
from newsletter.sending.freezing.start import prepare_send
from newsletter.sending.limits.gmail_spam_rate import record_resume_reason
from newsletter.sending.mails_with_story import explain_withdrawn
from newsletter.sending.settling.receipt import describe_receipt
from newsletter.sending.settling.uncertain_recipients import mark_cancelled_repeats
from newsletter.sending.wake_up_signal import send_wake_up_signal
from subscribers.models import EventKind

RUNNING = (Send.State.PREPARING, Send.State.READY, Send.State.SUBMITTING)
_CANCELLABLE = (*RUNNING, Send.State.PAUSED, Send.State.NEEDS_ATTENTION)

MAX_PAUSE_REASON = 500

Staff = User | AnonymousUser


def pause_send(*, send: Send, by: Staff | str, reason: str = "") -> None:
    """Stop making new calls; running calls are finished. Raise NotAllowed or WrongState.

    ``by`` as a text is a key of the API, whose scope was checked.
    """
    if not isinstance(by, str):
        require_permission(by)
    why = Message("paused by %(by)s", by=by)
    if reason:
        why = Message("paused by %(by)s: %(reason)s", by=by, reason=reason)
    if not transition(
        send,
        from_states=[Send.State.SUBMITTING],
        to=Send.State.PAUSED,
        reason=why,
        code=Send.Code.PAUSED_BY_STAFF,
    ):
        raise make_wrong_state(send, Message("Only a send that is being submitted can be paused."))


def resume_send(
    *,
    send: Send,
    by: Staff,
    now: datetime | None = None,
    reason: str = "",
    write_entry: Callable[[], object] | None = None,
) -> None:
    """Resume a paused send: postponed batches become due now, and the failure count restarts.

    ``reason`` is required if Gmail's spam rate paused it, and kept with that pause. After a pause by canaries, their later
    results no longer pause the send. A send that was paused before it had started is started. The change and the staff log's
    entry, by ``write_entry``, are one transaction.

    Raise NotAllowed, WrongState, also if its remaining mails show a withdrawn story, BadValue without a reason or if it is too
    long, or SwitchedOff while the publication is switched off. Raise NotReady too if a start cannot be noted; the sweep then
    starts it.
    """
    require_permission(by)
    require_issue_enabled(send.issue)
    now = now or timezone.now()
    if withdrawn := explain_withdrawn(send):
        raise make_wrong_state(send, Message("It cannot be resumed: %(why)s.", why=withdrawn))
    with transaction.atomic():
        record_resume_reason(send, by=str(by), reason=reason, now=now)
        newest = find_newest_attempt(send)
        stopped_by_canary = Send.objects.filter(pk=send.pk, code=Send.Code.CANARY)
        stopped_by_canary.update(canary_decision=Send.CanaryDecision.BY_STAFF)
        started = Send.objects.filter(pk=send.pk, started_at__isnull=False).exists()
        if not started:
            _require_still_approved(send)
        if not transition(
            send,
            from_states=[Send.State.PAUSED],
            to=Send.State.SUBMITTING if started else Send.State.READY,
            reason="",
            code=Send.Code.NONE,
            ended_at=None,
            resumed_after_attempt=newest,
        ):
            raise make_wrong_state(send, Message("Only a paused send can be resumed."))
        send.batches.filter(state=Batch.State.PENDING).update(not_before=None)
        if started:
            send_wake_up_signal(send)
        if write_entry is not None:
            write_entry()
    if not started:
        prepare_send(send=send, now=now)


def cancel_send(*, send: Send, by: Staff, now: datetime) -> None:
    """End the send permanently. People not handed over yet are skipped; sent mails cannot be recalled.

    A welcome mail is held then, so that no new subscriber gets it until staff release it.

    Raise NotAllowed or WrongState.
    """
    require_permission(by)
    with transaction.atomic():
        if not transition(
            send,
            from_states=_CANCELLABLE,
            to=Send.State.CANCELLED,
            reason=Message("cancelled by %(by)s", by=by),
            code=Send.Code.NONE,
            ended_at=now,
        ):
            raise _has_ended(send)
        mark_cancelled_repeats(Batch.objects.filter(send=send), now=now)
        if send.issue.is_welcome:
            hold_issue(issue=send.issue, reason=Message("%(by)s cancelled its send", by=by))
        else:
            transition(send.issue, from_states=[Issue.State.SENDING, Issue.State.APPROVED], to=Issue.State.CANCELLED)
            report_issue(EventKind.ISSUE_CANCELLED, send.issue, now=now)


def require_cancellable(send: Send) -> None:
    """Raise WrongState if the send has ended."""
    if send.state not in _CANCELLABLE:
        raise _has_ended(send)


def _has_ended(send: Send) -> WrongState:
    return make_wrong_state(send, Message("This send has already ended, so it cannot be cancelled."))


def end_send(*, send: Send, by: Staff, now: datetime) -> None:
    """End a send that needs attention: the issue counts as sent, and the receipt keeps what is unknown.

    Raise NotAllowed, or WrongState, also while a batch is uncertain.
    """
    require_permission(by)
    if send.batches.filter(state=Batch.State.UNCERTAIN).exists():
        raise WrongState(
            "%(send)s still has uncertain batches. Decide about each batch first, then end the send.", send=send
        )
    with transaction.atomic():
        if not transition(
            send,
            from_states=[Send.State.NEEDS_ATTENTION],
            to=Send.State.SUBMITTED,
            reason=Message("ended by %(by)s", by=by),
            code=Send.Code.NONE,
            ended_at=now,
        ):
            raise make_wrong_state(send, Message("Only a send that needs attention can be ended by hand."))
        transition(send.issue, from_states=[Issue.State.SENDING], to=Issue.State.SENT)
        report_sent(send, receipt=partial(describe_receipt, send), now=now)


def reopen_send(send: Send) -> None:
    """Resume an ended send and wake the workers. Call it in the transaction that gave the send pending batches."""
    transition(
        send,
        from_states=[Send.State.NEEDS_ATTENTION, Send.State.SUBMITTED],
        to=Send.State.SUBMITTING,
        reason="",
        code=Send.Code.NONE,
        ended_at=None,
    )
    if send.state == Send.State.SUBMITTING:
        send_wake_up_signal(send)


def _require_still_approved(send: Send) -> None:
    """Raise WrongState if the issue of a send that never started is no longer approved, as its row is now."""
    issue = Issue.objects.select_related("publication", "slot").get(pk=send.issue_id)
    if send.state == Send.State.PAUSED and issue.state not in (Issue.State.APPROVED, Issue.State.SENDING):
        raise WrongState(
            "%(issue)s is %(state)s, no longer approved. Its send stays paused. Stop it permanently, have "
            "the issue approved, then send it.",
            issue=issue,
            state=issue.get_state_display(),
        )


def find_newest_attempt(send: Send) -> int:
    """Return the id of the send's newest attempt, 0 if there is none."""
    return Attempt.objects.filter(batch__send=send).aggregate(newest=Max("pk"))["newest"] or 0


def make_wrong_state(row: Send | Batch, rule: Message) -> WrongState:
    return WrongState("%(row)s is %(state)s. %(rule)s", row=row, state=row.get_state_display(), rule=rule)


def require_permission(by: Staff) -> None:
    if not by.has_perm("newsletter.send_issue"):
        raise NotAllowed(
            "%(by)s may not pause, resume or settle sends. An administrator can give the role “approver”.", by=by
        )
