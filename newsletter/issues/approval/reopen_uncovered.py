"""Find issues whose approval no longer counts before their send does: the audience grew, or a rule of the publication changed.

A change of the content, the list or the segment is found by `void_changed_approvals`.
"""

from datetime import datetime, timedelta

from django.db.models import QuerySet

from newsletter.common.errors import BadRule, NotApproved
from newsletter.common.messages import Message
from newsletter.issues.approval.approval_rules import (
    count_approvals_needed,
    count_recipients,
    find_manual_approval_reason,
    is_automatic,
)
from newsletter.issues.approval.approve import find_current_approval, require_approval
from newsletter.issues.approval.publication_switches import make_switched_off_filter
from newsletter.issues.approval.write_notices import issue_page_url, write_notice
from newsletter.models import Issue, Send, StaffNotice, transition
from newsletter.outbound.publishing_facts import report_issue
from subscribers.models import EventKind

NOTICE_AHEAD = timedelta(days=7)
"""How long before its time staff are told that an automatic issue waits for a person."""
_WHAT_TO_DO = Message("It is not sent until somebody has read and approved it.")


def reopen_uncovered_issues(*, now: datetime) -> list[Issue]:
    """Let approved issues wait for approval again if their approvals no longer allow the send. Notify approvers. Return them.

    The approvals stay, so that the issue's page can say why they do not count.
    """
    return [
        issue
        for issue in _list_approved()
        if (error := _find_refusal(issue, now=now)) and _reopen(issue, error, now=now)
    ]


def notify_waiting_automatic_issues(*, now: datetime) -> None:
    """Notify approvers of automatic issues that will not be sent by themselves, once for each, before they are due."""
    drafts = Issue.objects.filter(
        state=Issue.State.DRAFT,
        held=False,
        due_at__gt=now,
        due_at__lte=now + NOTICE_AHEAD,
        announced_people__isnull=False,
    )
    for issue in _select_related(drafts):
        key = f"needs-person-{issue.pk}"
        if not is_automatic(issue) or StaffNotice.objects.filter(key=key).exists():
            continue
        try:
            reason = find_manual_approval_reason(issue, people=count_recipients(issue, now=now))
        except BadRule:
            continue  # the issue's checks say what is wrong
        if reason:
            subject = Message("%(issue)s is waiting for approval", issue=issue)
            write_notice(issue.publication, key, subject, [reason, _WHAT_TO_DO], issue_page_url(issue), now)


def make_notice_key(issue: Issue) -> str:
    """Return the key of the notice that the issue's present approvals no longer count."""
    return f"uncovered-{issue.pk}-{issue.approvals.count()}"


def _list_approved() -> list[Issue]:
    live = Send.objects.exclude(state=Send.State.CANCELLED).values("issue")
    approved = Issue.objects.filter(state=Issue.State.APPROVED, held=False).exclude(kind=Issue.Kind.WELCOME)
    return list(_select_related(approved.exclude(pk__in=live)))


def _select_related(issues: QuerySet[Issue]) -> QuerySet[Issue]:
    return (
        issues.exclude(make_switched_off_filter())
        .select_related("publication__brand", "publication__mailing_list", "publication__segment", "slot")
        .order_by("pk")
    )


def _find_refusal(issue: Issue, *, now: datetime) -> NotApproved | None:
    """Return the error with which the send would refuse, unless what it shows changed."""
    try:
        require_approval(issue, now=now)
    except NotApproved as error:
        return error if find_current_approval(issue) is not None else None
    except BadRule:
        return None  # the issue's checks say what is wrong
    return None


def _reopen(issue: Issue, error: NotApproved, *, now: datetime) -> bool:
    if not transition(issue, from_states=[Issue.State.APPROVED], to=Issue.State.IN_REVIEW):
        return False
    report_issue(EventKind.ISSUE_WAITING, issue, now=now)
    if count_approvals_needed(issue, people=count_recipients(issue, now=now)) < 2:
        # A notice about the second approval comes by itself.
        subject = Message("%(issue)s needs a new approval", issue=issue)
        key = make_notice_key(issue)
        write_notice(issue.publication, key, subject, [error.message, _WHAT_TO_DO], issue_page_url(issue), now)
    return True
