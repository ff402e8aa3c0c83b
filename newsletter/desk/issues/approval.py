"""The approval of an issue for its pages: who approved it, who else must, who may not, and how many people get it."""

from collections.abc import Iterable

from django.contrib.auth.models import AnonymousUser, User
from django.utils import timezone

from newsletter.common.errors import NotApproved
from newsletter.common.translation import translate
from newsletter.desk.issues.audience.recipient_counts import count_audience_for_page
from newsletter.desk.sends.alarms import describe_domain_error
from newsletter.desk.sends.local_hours import LocalHoursContext, hours_ahead_context
from newsletter.issues.approval.approval_rules import (
    count_approvals_needed,
    covers_people,
    find_lapsed_approvals,
    find_manual_approval_reason,
    find_valid_approvals,
    is_automatic,
    require_enough_approvals,
    requires_other_approver,
)
from newsletter.issues.approval.approved_audience import describe_audience, hash_audience
from newsletter.issues.approval.authors import find_authors
from newsletter.issues.approval.open_comments import count_open_comments
from newsletter.issues.approval.publication_switches import is_switched_off
from newsletter.issues.approval.request_approval import ApprovalRequest, find_request
from newsletter.issues.snapshot.resolve import hash_approved_content, resolve_content
from newsletter.models import Approval, Issue


class ApprovalContext(LocalHoursContext):
    """The context of desk/decision.html, in addition to that of the issue's head and its checks."""

    approvals: Iterable[Approval]
    valid_approvals: Iterable[Approval]
    outgrown_approvals: Iterable[Approval]
    lapsed_approvals: Iterable[Approval]
    approvals_needed: int
    approval_people: int
    audience_sha256: str
    is_switched_off: bool
    sends_automatically: bool
    manual_approval_reason: str
    needs_second_approval: bool
    gave_first_approval: bool
    is_author: bool
    approval_request: ApprovalRequest | None
    open_comments: int
    domain_error: str
    approval_refusal: str


def approval_context(
    issue: Issue, *, user: User | AnonymousUser, sha256: str, people: int | None = None
) -> ApprovalContext:
    """Return who approved the issue, how many more must, and whether the user may.

    ``sha256`` is that of the current content. ``people`` is the number of recipients, if the page has counted them.
    """
    is_open = issue.state in Issue.UNSENT_STATES
    if issue.is_welcome and sha256:
        sha256 = hash_approved_content(resolve_content(issue))
    authors = find_authors(issue) if is_open and requires_other_approver(issue.publication) else set()
    if people is None or not is_open:
        people = count_audience_for_page(issue).eligible if is_open else 0
    reason = find_manual_approval_reason(issue, people=people) if is_open and is_automatic(issue) else ""
    switched_off = is_switched_off(issue.kind, publication=issue.publication)
    needed = count_approvals_needed(issue, people=people)
    counting = find_valid_approvals(issue, sha256=sha256, people=people) if sha256 else []
    valid = [approval for approval in counting if not approval.by_policy]
    approvers = {approval.person_id for approval in valid}
    automatic = is_automatic(issue) and issue.state == Issue.State.DRAFT
    sends_automatically = automatic and not reason and not switched_off
    approvals = list(issue.approvals.filter(withdrawn_at__isnull=True).select_related("person"))
    of_content = [approval for approval in approvals if approval.sha256 == sha256]
    outgrown = [] if issue.is_welcome else _find_outgrown_approvals(of_content, people=people)
    in_review = issue.state == Issue.State.IN_REVIEW
    lapsed = find_lapsed_approvals(issue, of_content, people=people) if is_open else []
    is_explained = not in_review or bool(outgrown or lapsed)
    refusal = _explain_refusal(issue, sha256=sha256, people=people) if approvals and not is_explained else ""
    request = find_request(issue, sha256=sha256, approved=approvers, by=user, now=timezone.now()) if in_review else None
    needs_second = needed > 1 and len(approvers) == 1
    hours: LocalHoursContext = hours_ahead_context(issue, now=timezone.now()) if is_open else {}
    return {
        "approvals": approvals,
        "valid_approvals": valid,
        "outgrown_approvals": outgrown,
        "lapsed_approvals": lapsed,
        "approvals_needed": needed,
        "approval_people": people,
        "audience_sha256": hash_audience(describe_audience(issue)),
        "is_switched_off": switched_off,
        "sends_automatically": sends_automatically,
        "manual_approval_reason": reason,
        "needs_second_approval": needs_second,
        "gave_first_approval": needs_second and user.pk in approvers,
        "is_author": user.pk in authors,
        "approval_request": request,
        "approval_refusal": "" if needs_second else refusal,
        "domain_error": describe_domain_error(issue.publication) if is_open else "",
        "open_comments": count_open_comments(issue) if is_open else 0,
        **hours,
    }


def _find_outgrown_approvals(approvals: Iterable[Approval], *, people: int) -> list[Approval]:
    """Return the approvals of staff that no longer count, because too many people would get the issue now."""
    by_staff = (approval for approval in approvals if approval.people is not None and not approval.by_policy)
    return [approval for approval in by_staff if not covers_people(approval, people=people)]


def _explain_refusal(issue: Issue, *, sha256: str, people: int) -> str:
    """Return why the approvals that were given for this content do not allow the send, or ""."""
    if not issue.approvals.filter(sha256=sha256, withdrawn_at__isnull=True).exists():
        return ""
    try:
        require_enough_approvals(issue, sha256=sha256, people=people)
    except NotApproved as error:
        return translate(error)
    return ""
