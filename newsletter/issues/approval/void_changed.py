"""Find issues that changed since they were approved, and void their approvals."""

from datetime import datetime

from newsletter.issues.approval.approve import find_current_approval, withdraw_approvals
from newsletter.issues.approval.changes_since_approval import find_changes
from newsletter.models import Issue


def void_changed_approvals(*, now: datetime) -> list[tuple[Issue, list[str]]]:
    """Withdraw the approvals of every issue that changed since. Return each of them with its changes."""
    voided = []
    for issue in find_changed_issues():
        changes = find_changes(issue)
        withdraw_approvals(issue=issue, now=now)
        voided.append((issue, changes))
    return voided


def find_changed_issues() -> list[Issue]:
    """Return the issues whose approvals are for another content or audience than they have now."""
    approved = Issue.objects.filter(
        state__in=[Issue.State.APPROVED, Issue.State.IN_REVIEW],
        approvals__isnull=False,  # without it, an issue that waits for its first approval is found too
        approvals__withdrawn_at__isnull=True,
    ).distinct()
    issues = approved.select_related("publication__brand", "slot")
    return [issue for issue in issues if find_current_approval(issue) is None]
