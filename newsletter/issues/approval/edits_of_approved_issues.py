"""Check that somebody may edit an issue. Find the issues that an edit changes, withdraw their approvals and notify approvers."""

from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Model

from newsletter.common.errors import NotAllowed
from newsletter.common.messages import Message
from newsletter.issues.approval.approval_rules import requires_other_approver
from newsletter.issues.approval.approve import find_current_approval, withdraw_approvals
from newsletter.issues.approval.authors import find_authors, find_shown_parts
from newsletter.issues.approval.changes_since_approval import find_changes
from newsletter.issues.approval.void_changed import void_changed_approvals
from newsletter.issues.approval.write_notices import notify_changed_after_approval
from newsletter.models import Approval, Issue, Publication

_APPROVED_STATES = (Issue.State.IN_REVIEW, Issue.State.APPROVED)
_RELATED = ("publication__brand", "publication__mailing_list", "publication__segment", "segment", "slot")


def require_editor(by: User | AnonymousUser) -> None:
    """Raise NotAllowed if the person may not edit issues."""
    if not by.has_perm("newsletter.change_issue"):
        raise NotAllowed("%(by)s may not edit issues. An administrator can give the role “writer” or “editor”.", by=by)


def find_open_approvals(issue: Issue) -> list[Approval]:
    """Return the approvals that an edit of the issue would withdraw, oldest first."""
    if issue.state not in _APPROVED_STATES:
        return []
    return list(issue.approvals.filter(withdrawn_at__isnull=True).select_related("person").order_by("at", "pk"))


def find_approved_issues_showing(rows: Sequence[Model]) -> list[Issue]:
    """Return the approved issues that show one of the rows, or whose audience one decides."""
    approved = Issue.objects.filter(state__in=_APPROVED_STATES, approvals__withdrawn_at__isnull=True).distinct()
    issues = approved.select_related(*_RELATED).order_by("pk")
    return [issue for issue in issues if _shows(issue, rows)]


def find_automatic_issues_showing(rows: Sequence[Model]) -> list[Issue]:
    """Return the issues that are sent without approval only as long as nobody edits them, and that show one of the rows."""
    automatic = Issue.objects.filter(
        state=Issue.State.DRAFT, slot__isnull=False, publication__approval=Publication.ApprovalPolicy.AUTO
    )
    return [
        issue
        for issue in automatic.select_related(*_RELATED).order_by("pk")
        if requires_other_approver(issue.publication) and not find_authors(issue) and _shows(issue, rows)
    ]


def withdraw_for_edit(*, issue: Issue, by: User | AnonymousUser, now: datetime) -> list[Approval]:
    """Withdraw the issue's approvals before ``by`` edits it, and notify the approvers. Return the approvals."""
    approvals = find_open_approvals(issue)
    if not approvals:
        return []
    names = Message.joined([name_approver(approval) for approval in approvals], between=", ")
    withdraw_approvals(issue=issue, now=now)
    explanation = Message("%(by)s withdrew the approval by %(names)s to edit the issue.", by=by, names=names)
    _notify(issue, explanation, by=by, now=now)
    return approvals


def withdraw_if_changed(*, issue: Issue, by: User | AnonymousUser, now: datetime) -> bool:
    """Withdraw the issue's approvals if its content is no longer the approved one, and notify. Return True if so."""
    if not find_open_approvals(issue) or find_current_approval(issue) is not None:
        return False
    changes = find_changes(issue)
    withdraw_approvals(issue=issue, now=now)
    _notify(issue, _describe_edit(by, changes), by=by, now=now)
    return True


def withdraw_changed_issues(*, by: User | AnonymousUser, now: datetime) -> list[Issue]:
    """Withdraw the approvals of every issue that ``by`` changed by editing a row that it shows. Notify, and return them."""
    voided = void_changed_approvals(now=now)
    for issue, changes in voided:
        _notify(issue, _describe_edit(by, changes), by=by, now=now)
    return [issue for issue, _changes in voided]


def name_approver(approval: Approval) -> str:
    return Message("the publication’s rules") if approval.by_policy else str(approval.person)


def _shows(issue: Issue, rows: Sequence[Model]) -> bool:
    parts = find_shown_parts(issue)
    return any(row.pk in parts[row._meta.label_lower] for row in rows)


def _describe_edit(by: User | AnonymousUser, changes: list[str]) -> Message:
    changed = Message.joined(changes) if changes else Message("the content")
    return Message("After it was approved, %(by)s changed this: %(what)s.", by=by, what=changed)


def _notify(issue: Issue, explanation: str, *, by: User | AnonymousUser, now: datetime) -> None:
    notify_changed_after_approval(issue, explanation=explanation, now=now, by=by if isinstance(by, User) else None)
