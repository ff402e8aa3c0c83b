"""The revisions of an issue's content: freeze it as it is now, and find the one that was sent."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Max

from newsletter.issues.snapshot.records.content import hash_content
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import Issue, IssueRevision, Send

SEALED_STATES = (Issue.State.SENDING, Issue.State.SENT, Issue.State.CANCELLED)
"""In these states an issue changes no more."""


def freeze_revision(*, issue: Issue, now: datetime) -> IssueRevision:
    """Return the revision of the issue's content as it is now. The same content gives the same revision."""
    content = resolve_content(issue)
    sha256 = hash_content(content)
    revision = IssueRevision.objects.filter(issue=issue, sha256=sha256).first()
    if revision:
        return revision
    number = (issue.content_revisions.aggregate(last=Max("number"))["last"] or 0) + 1
    try:
        with transaction.atomic():
            return IssueRevision.objects.create(
                issue=issue, number=number, sha256=sha256, content=content.to_json(), made_at=now
            )
    except IntegrityError:
        return IssueRevision.objects.get(issue=issue, sha256=sha256)


def find_sealed_revision(issue: Issue) -> IssueRevision | None:
    """Return the revision that was or is being sent, or None if the issue can change or nothing of it was sent."""
    send = find_sealed_send(issue)
    return send.revision if send else None


def find_sealed_send(issue: Issue) -> Send | None:
    """Return the send of that revision."""
    if issue.state not in SEALED_STATES:
        return None
    return issue.sends.exclude(recipients=0, state=Send.State.CANCELLED).select_related("revision").first()
