"""Takes back approvals of content that is no longer what was approved, after any edit of anything an issue shows."""

from datetime import datetime

from newsletter.issues.approve import current_approval, withdraw_approvals
from newsletter.models import Issue


def void_stale_approvals(*, now: datetime) -> list[Issue]:
    """Withdraw the approvals of every approved issue whose content has changed since. Returns those issues."""
    changed = []
    for issue in Issue.objects.filter(state=Issue.State.APPROVED).select_related("publication__brand", "slot"):
        if void_if_stale(issue=issue, now=now):
            changed.append(issue)
    return changed


def void_if_stale(*, issue: Issue, now: datetime) -> bool:
    """Withdraw this issue's approvals if they are of other content than it has now. Returns whether there were any."""
    standing = issue.approvals.filter(withdrawn_at__isnull=True)
    if not standing.exists() or current_approval(issue) is not None:
        return False
    withdraw_approvals(issue=issue, now=now)
    return True
