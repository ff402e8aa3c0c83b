"""Close an issue that will not be sent: skip an issue of the schedule, cancel another, or delete a draft."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from newsletter.common.errors import NotAllowed, NotReady, WrongState
from newsletter.common.messages import Message
from newsletter.common.text import require_length
from newsletter.issues.approval.approve import withdraw_approvals
from newsletter.issues.planning.change_time import lock_unsent, require_unsent
from newsletter.models import Issue, Slot, transition
from newsletter.outbound.publishing_facts import report_issue
from subscribers.models import EventKind

MAX_REASON = 500


@transaction.atomic
def close_issue(*, issue: Issue, reason: str, by: User, now: datetime) -> None:
    """Skip or cancel an issue that was not sent. Its number stays, and its stories are candidates again.

    The slot of a skipped issue is skipped too, so that nothing is assembled for it again.
    Raises NotAllowed; NotReady without a reason; BadValue if it is too long; WrongState if its send has begun or it is over.
    """
    reason = _require_reason(reason, by=by)
    locked = lock_unsent(issue)
    require_closable(locked)
    withdraw_approvals(issue=locked, now=now)
    transition(
        locked,
        from_states=[Issue.State.DRAFT],
        to=Issue.State.CANCELLED,
        held=False,
        held_reason="",
        closed_at=now,
        closed_by=by,
        closed_reason=reason,
    )
    report_issue(EventKind.ISSUE_CANCELLED, locked, now=now)
    if locked.slot is not None:
        skipped = Message("Skipped by %(by)s: %(reason)s", by=by, reason=reason)
        transition(locked.slot, from_states=[Slot.State.ASSEMBLED], to=Slot.State.SKIPPED, reason=skipped)
    issue.refresh_from_db()


@transaction.atomic
def delete_issue(*, issue: Issue, reason: str, by: User) -> None:
    """Delete a draft that a person made and that nobody has approved or was mailed. The staff log keeps who, when and why.

    Raises NotAllowed; NotReady without a reason; BadValue if it is too long; WrongState if it must stay on record.
    """
    _require_reason(reason, by=by)
    delete_unused_draft(issue)


@transaction.atomic
def delete_unused_draft(issue: Issue) -> None:
    """Delete a draft. Raises WrongState if it must stay on record."""
    locked = lock_unsent(issue)
    require_deletable(locked)
    locked.delete()


def require_closable(issue: Issue) -> None:
    """Raise WrongState if the issue cannot be skipped or cancelled as it is now."""
    require_unsent(issue)
    if issue.is_welcome:
        raise WrongState("%(issue)s cannot be cancelled. Turn it off on the page of the welcome.", issue=issue)


def require_deletable(issue: Issue) -> None:
    """Raise WrongState if the issue is no draft that can be deleted as it is now."""
    require_unsent(issue)
    if not can_be_deleted(issue):
        raise WrongState(
            "%(issue)s stays on record: it is of the schedule, was approved before, or a proof of it was sent. "
            "Skip or cancel it instead.",
            issue=issue,
        )


def can_be_deleted(issue: Issue) -> bool:
    """Return True for a draft on demand that was never approved, sent or sent as a proof."""
    used = issue.approvals.exists() or issue.sends.exists() or issue.proofs.exists()
    return issue.is_on_demand and issue.state == Issue.State.DRAFT and not used


def _require_reason(reason: str, *, by: User) -> str:
    if not by.has_perm("newsletter.change_issue"):
        raise NotAllowed(
            "%(by)s may not skip, cancel or delete issues. An administrator can give the role “writer” or “editor”.",
            by=by,
        )
    if not reason.strip():
        raise NotReady("Write a reason, so that others know why. Nothing was changed.")
    return require_length(reason.strip(), limit=MAX_REASON, name="reason")
