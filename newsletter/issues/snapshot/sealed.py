"""The states in which an issue changes no more, and the revision that was sent."""

from newsletter.models import Issue, IssueRevision, Send

SEALED_STATES = (Issue.State.SENDING, Issue.State.SENT, Issue.State.CANCELLED)


def find_sealed_revision(issue: Issue) -> IssueRevision | None:
    """Return the revision that was or is being sent, or None if the issue can change or nothing of it was sent."""
    send = find_sealed_send(issue)
    return send.revision if send else None


def find_sealed_send(issue: Issue) -> Send | None:
    """Return the send of that revision."""
    if issue.state not in SEALED_STATES:
        return None
    return issue.sends.exclude(recipients=0, state=Send.State.CANCELLED).select_related("revision").first()
