"""The approval of an issue in words: who has approved it, who else must, who may not, and how many people get it."""

from typing import Any

from newsletter.desk.issues.recipient_counts import count_audience_for_page
from newsletter.issues.approval.approval_rules import (
    count_approvals_needed,
    find_manual_approval_reason,
    find_valid_approvals,
    is_automatic,
    requires_other_approver,
)
from newsletter.issues.approval.approve import OPEN_STATES
from newsletter.issues.approval.approved_audience import describe_audience, hash_audience
from newsletter.issues.approval.authors import find_authors
from newsletter.issues.approval.publication_switches import is_switched_off
from newsletter.models import Issue


def approval_context(issue: Issue, *, user: Any, sha256: str, people: int | None = None) -> dict[str, Any]:
    """Who has approved, how many more must, and why this person may not; ``sha256`` is what the issue says now.

    ``people`` is how many would get it, if the page has counted them already.
    """
    waits = issue.state in (*OPEN_STATES, Issue.State.APPROVED)
    authors = find_authors(issue) if waits and requires_other_approver(issue.publication) else set()
    if people is None or not waits:
        people = count_audience_for_page(issue).eligible if waits else 0
    why = find_manual_approval_reason(issue, people=people) if waits and is_automatic(issue) else ""
    off = is_switched_off(issue.kind, publication=issue.publication)
    needed = count_approvals_needed(issue, people=people)
    standing = issue.approvals.filter(withdrawn_at__isnull=True).select_related("person")
    holding = find_valid_approvals(issue, sha256=sha256, people=people) if sha256 else []
    persons = {approval.person_id for approval in holding if not approval.by_policy}
    return {
        "approvals": standing,
        "needed": needed,
        "goes_to": people,
        "audience_sha256": hash_audience(describe_audience(issue)),
        "switched_off": off,
        "auto": is_automatic(issue) and issue.state == Issue.State.DRAFT and not why and not off,
        "why_a_person": why,
        "second_missing": needed > 1 and len(persons) == 1,
        "has_approved": user.pk in persons,
        "wrote_it": user.pk in authors,
    }
