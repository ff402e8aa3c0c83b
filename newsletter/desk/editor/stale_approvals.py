"""Takes back the approvals of an issue that was edited and is no longer what was approved."""

from datetime import datetime

from newsletter.issues.approval.approve import find_current_approval, withdraw_approvals
from newsletter.models import Issue


def void_if_stale(*, issue: Issue, now: datetime) -> bool:
    """Withdraw this issue's approvals if they are of other content or another audience. Returns whether there were any."""
    standing = issue.approvals.filter(withdrawn_at__isnull=True)
    if not standing.exists() or find_current_approval(issue) is not None:
        return False
    withdraw_approvals(issue=issue, now=now)
    return True
