"""Hold approved and automatic issues that contain a protected term, as soon as the term is added."""

from contextlib import suppress
from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User

from newsletter.common.errors import NotReady, WrongState
from newsletter.issues.approval.approval_rules import is_automatic
from newsletter.issues.approval.hold import hold_issue
from newsletter.issues.approval.write_notices import notify_hold
from newsletter.issues.protected_terms.check import find_issues_with_protected_terms, require_unprotected
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import Issue


def hold_protected_issues(*, by: User | AnonymousUser, now: datetime) -> list[Issue]:
    """Hold those that are approved or automatic, and notify the other approvers. Return all unsent ones that contain a term.

    A welcome mail is not held: new subscribers do not get it while it contains a term.
    """
    issues = find_issues_with_protected_terms()
    for issue in issues:
        if issue.held or issue.is_welcome or not _is_sent_by_itself(issue):
            continue
        try:
            require_unprotected(issue=issue, content=resolve_content(issue), mails=[])
        except NotReady as error:
            with suppress(WrongState):  # its send has begun, and is paused for the term
                hold_issue(issue=issue, reason=error.message)
                notify_hold(issue, now=now, by=by)
    return issues


def _is_sent_by_itself(issue: Issue) -> bool:
    return issue.state == Issue.State.APPROVED or (issue.state == Issue.State.DRAFT and is_automatic(issue))
