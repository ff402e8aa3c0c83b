"""What stands about the approval of an issue, in words: who has said yes, who else must, and who may not."""

from typing import Any

from django.utils import timezone

from newsletter.issues.approval_rules import approvals_needed, count_approvals, find_writers
from newsletter.issues.audience import count_people
from newsletter.models import Issue


def say_approval(issue: Issue, *, user: Any, sha256: str) -> dict[str, Any]:
    """Who has approved, how many more must, and why this person may not; ``sha256`` is what the issue says now."""
    writers = find_writers(issue) if issue.publication.another_approves else set()
    people = count_people(issue, now=timezone.now()).eligible
    needed = approvals_needed(issue, people=people)
    standing = issue.approvals.filter(withdrawn_at__isnull=True).select_related("person")
    given = count_approvals(issue, sha256=sha256) if sha256 else 0
    return {
        "approvals": standing,
        "needed": needed,
        "goes_to": people,
        "second_missing": needed > 1 and given == 1,
        "has_approved": any(approval.person_id == user.pk and approval.sha256 == sha256 for approval in standing),
        "wrote_it": user.pk in writers,
    }
