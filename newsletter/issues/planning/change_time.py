"""Plan when an issue is sent, change that time, or leave the start to a person."""

from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction

from newsletter.common.errors import NotAllowed, WrongState
from newsletter.issues.approval.edits_of_approved_issues import withdraw_if_changed
from newsletter.issues.planning.create_issue import parse_future_due
from newsletter.models import Issue, Send


@transaction.atomic
def change_time(*, issue: Issue, due: str, by: User | AnonymousUser, now: datetime) -> bool:
    """Set when the issue is sent: ``due``, a wall-clock time in the publication's zone, or "" for when a person sends it.

    Return True if its approvals were withdrawn: they are for the content, and the content names the day. Its slot keeps
    its own time, so the schedule does not make its issue again.
    Raises NotAllowed, BadSchedule; WrongState if the time has passed, the issue is of the schedule and would have no time,
    or its send has begun.
    """
    if not (by.has_perm("newsletter.change_issue") or by.has_perm("newsletter.send_issue")):
        raise NotAllowed(
            "%(by)s may not plan issues. An administrator can give the role “writer” or “approver”.", by=by
        )
    locked = lock_unsent(issue)
    if locked.is_welcome:
        raise WrongState("%(issue)s has no time: each new subscriber gets it on their own day.", issue=locked)
    if not due and locked.slot_id is not None:
        raise WrongState("%(issue)s is on the schedule, so it needs a time. Choose one, or skip it.", issue=locked)
    due_at = parse_future_due(due, zone=issue.publication.zone, now=now) if due else None
    Issue.objects.filter(pk=issue.pk).update(due_at=due_at, released_at=None)
    issue.refresh_from_db()
    return withdraw_if_changed(issue=issue, by=by, now=now)


def lock_unsent(issue: Issue) -> Issue:
    """Lock the issue's row until the transaction ends. Raises WrongState if its send has begun or it is over.

    A welcome mail may change while it is sent: the next people get it as it is then, once it is approved.
    """
    locked = Issue.objects.select_for_update(of=("self",)).select_related("publication", "slot").get(pk=issue.pk)
    require_unsent(locked)
    return locked


def require_unsent(issue: Issue) -> None:
    """Raise WrongState if the issue's send has begun or it is over, as `lock_unsent` does."""
    live = not issue.is_welcome and issue.sends.exclude(state=Send.State.CANCELLED).exists()
    if live or issue.state not in Issue.UNSENT_STATES:
        raise WrongState(
            "%(issue)s is being sent, was sent or was cancelled, so this is too late. Look at its page.", issue=issue
        )
