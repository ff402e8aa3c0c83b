"""Find issues whose approval no longer counts before their send does: the audience grew, or a rule of the publication changed.

If the reason goes away, the issue is approved again. A change of the content, the list or the segment is found by
`void_changed_approvals`.
"""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, QuerySet

from newsletter.common.errors import DomainError, NotApproved
from newsletter.common.messages import Message
from newsletter.issues.approval.approval_rules import (
    count_recipients,
    find_first_of_two,
    find_manual_approval_reason,
    is_automatic,
)
from newsletter.issues.approval.approve import find_current_approval, require_approval
from newsletter.issues.approval.open_comments import count_open_comments
from newsletter.issues.approval.publication_switches import make_switched_off_filter
from newsletter.issues.approval.write_notices import issue_page_url, write_notice
from newsletter.issues.variants.count_recipients import count_people
from newsletter.models import Approval, Issue, Publication, Send, StaffNotice, transition
from newsletter.outbound.publishing_facts import report_issue
from subscribers.models import EventKind

log = logging.getLogger(__name__)
NOTICE_AHEAD = timedelta(days=7)
"""How long before its time staff are notified that an automatic issue waits for a person."""
NOTICE_INTERVAL = timedelta(days=1)
"""How often approvers are notified of an automatic new approval. The number of recipients may go up and down."""
_WHAT_TO_DO = Message("It is not sent until somebody has read and approved it.")
_SEND_AGAIN = Message(
    "Somebody chose “Send now”, but nothing was sent. Read and approve it, then choose “Send now” again."
)
_CHANGES_OFTEN = (
    Message("It was approved again by itself already, and now it waits again. This may go on today without a notice."),
    Message("It is sent only if its approvals are enough when it is due. To be sure, read it and approve it."),
)


def review_approvals(*, now: datetime) -> None:
    """Reopen issues whose approvals no longer count, approve those whose approvals count again, and notify approvers."""
    reopen_uncovered_issues(now=now)
    restore_covered_issues(now=now)
    notify_waiting_automatic_issues(now=now)


def reopen_uncovered_issues(*, now: datetime, publication: Publication | None = None) -> list[Issue]:
    """Return approved issues to review if their approvals no longer allow the send. Notify approvers. Return them.

    The approvals stay, so that the issue's page can say why they do not count. With ``publication``, only its issues are
    reviewed.
    """
    approved = _select_unsent(Issue.State.APPROVED, publication=publication)
    return [issue for issue in approved if _find_refusal(issue, now=now) and _reopen(issue, now=now)]


def restore_covered_issues(*, now: datetime, publication: Publication | None = None) -> list[Issue]:
    """Approve waiting issues whose approvals are enough now: the audience shrank, or a rule changed. Notify approvers.

    Return the issues. One with an open comment waits until somebody resolves it. The notice is written once in
    `NOTICE_INTERVAL`: a notice about the next reopening says what happens until then.
    """
    approved = Approval.objects.filter(withdrawn_at__isnull=True).values("issue")
    waiting = _select_unsent(Issue.State.IN_REVIEW, publication=publication).filter(pk__in=approved)
    return [issue for issue in waiting if _may_be_restored(issue, now=now) and _restore(issue, now=now)]


def notify_if_reopened(issue: Issue, *, reason: str, now: datetime, requested: bool = False) -> bool:
    """Notify approvers of an issue that waits for approval again since its send was refused. Return False if it does not wait.

    ``requested``: a person chose to send it now, so nothing sends it by itself once it is approved.
    """
    if not Issue.objects.filter(pk=issue.pk, state=Issue.State.IN_REVIEW).exists():
        return False
    log.warning("%s waits for approval again: %s", issue, reason)
    if requested:
        find_waiting_notices(issue).delete()
        _write_uncovered_notice(issue, [reason, _SEND_AGAIN], now=now)
    else:
        _write_reopened_notice(issue, reason=reason, now=now)
    return True


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
        key = make_needs_person_key(issue)
        if not is_automatic(issue) or StaffNotice.objects.filter(key=key).exists():
            continue
        try:
            reason = _find_manual_reason(issue, now=now)
        except DomainError:
            continue  # the issue's checks report the error
        if reason:
            subject = Message("%(issue)s is waiting for approval", issue=issue)
            write_notice(issue.publication, key, subject, [reason, _WHAT_TO_DO], issue_page_url(issue), now)


def _find_manual_reason(issue: Issue, *, now: datetime) -> str:
    """Return why it needs a person. Whoever gets it is counted exactly only if all on the list would be too many."""
    if not find_manual_approval_reason(issue, people=count_people(issue, now=now).eligible):
        return ""
    return find_manual_approval_reason(issue, people=count_recipients(issue, now=now))


def make_needs_person_key(issue: Issue) -> str:
    """Return the key of the notice that the automatic issue needs a person's approval."""
    return f"needs-person-{issue.pk}"


def make_not_sent_key_prefix(issue: Issue) -> str:
    """Return how the keys begin of the notices that the automatic issue was not sent at its time."""
    return f"waits-{issue.pk}-"


def make_second_approval_key(approval: Approval) -> str:
    """Return the key of the notice that the issue needs a second approval in addition to this one."""
    return f"second-{approval.issue_id}-{approval.pk}"


def find_waiting_notices(issue: Issue) -> QuerySet[StaffNotice]:
    """Return the notices that the issue's approvals no longer count, or that it needs a second one."""
    second = [make_second_approval_key(approval) for approval in issue.approvals.all()]
    return StaffNotice.objects.filter(key__in=[_make_uncovered_key(issue), *second])


def _make_uncovered_key(issue: Issue) -> str:
    return f"uncovered-{issue.pk}"


def _find_recent_restored_notices(issue: Issue, *, now: datetime) -> QuerySet[StaffNotice]:
    """Return the notices of the last day that the issue was approved again by itself, if nobody approved it since."""
    last = _find_last_approval(issue) or now
    return StaffNotice.objects.filter(
        key=_make_restored_key(issue), made_at__gt=now - NOTICE_INTERVAL, made_at__gte=last
    )


def _find_last_approval(issue: Issue) -> datetime | None:
    found: datetime | None = issue.approvals.filter(withdrawn_at__isnull=True).aggregate(at=Max("at"))["at"]
    return found


def _make_restored_key(issue: Issue) -> str:
    return f"restored-{issue.pk}"


def _select_unsent(state: str, *, publication: Publication | None = None) -> QuerySet[Issue]:
    live = Send.objects.exclude(state=Send.State.CANCELLED).values("issue")
    issues = Issue.objects.filter(state=state, held=False).exclude(kind=Issue.Kind.WELCOME)
    if publication is not None:
        issues = issues.filter(publication=publication)
    return _select_related(issues.exclude(pk__in=live))


def _select_related(issues: QuerySet[Issue]) -> QuerySet[Issue]:
    return (
        issues.exclude(make_switched_off_filter())
        .select_related("publication__brand", "publication__mailing_list", "publication__segment", "slot")
        .order_by("pk")
    )


def _find_refusal(issue: Issue, *, now: datetime) -> NotApproved | None:
    """Return the error with which the send would refuse, unless the content changed."""
    try:
        require_approval(issue, now=now)
    except NotApproved as error:
        return error if find_current_approval(issue) is not None else None
    except DomainError:
        return None  # the issue's checks report the error
    return None


@transaction.atomic
def _reopen(issue: Issue, *, now: datetime) -> bool:
    locked = _select_unsent(Issue.State.APPROVED).select_for_update(of=("self",)).filter(pk=issue.pk).first()
    if locked is None or (error := _find_refusal(locked, now=now)) is None:
        return False  # it changed while people were counted
    transition(locked, from_states=[Issue.State.APPROVED], to=Issue.State.IN_REVIEW)
    report_issue(EventKind.ISSUE_WAITING, locked, now=now)
    _write_reopened_notice(locked, reason=error.message, now=now)
    return True


def _write_reopened_notice(issue: Issue, *, reason: str, now: datetime) -> None:
    """Notify approvers that the issue needs a new approval. A notice about a second approval comes by itself.

    After a notice that it was approved again by itself, the next one covers the rest of the day. A notice since the last
    approval stays: another process wrote it.
    """
    waiting, last = find_waiting_notices(issue), _find_last_approval(issue)
    changes_often = _find_recent_restored_notices(issue, now=now).exists()
    if (waiting if changes_often or last is None else waiting.filter(made_at__gt=last)).exists():
        return
    waiting.delete()  # of an earlier time: the new one has the same key
    if changes_often:
        subject = Message("%(issue)s may need another approval", issue=issue)
        _write_uncovered_notice(issue, [reason, *_CHANGES_OFTEN], now=now, subject=subject)
    elif find_first_of_two(issue, now=now) is None:
        _write_uncovered_notice(issue, [reason, _WHAT_TO_DO], now=now)


def _write_uncovered_notice(
    issue: Issue, paragraphs: list[str], *, now: datetime, subject: Message | None = None
) -> None:
    subject = subject or Message("%(issue)s needs a new approval", issue=issue)
    write_notice(issue.publication, _make_uncovered_key(issue), subject, paragraphs, issue_page_url(issue), now)


def _may_be_restored(issue: Issue, *, now: datetime) -> bool:
    if count_open_comments(issue):
        return False
    try:
        require_approval(issue, now=now)
    except DomainError:
        return False
    return True


@transaction.atomic
def _restore(issue: Issue, *, now: datetime) -> bool:
    locked = _select_unsent(Issue.State.IN_REVIEW).select_for_update(of=("self",)).filter(pk=issue.pk).first()
    if locked is None or not _may_be_restored(locked, now=now):
        return False  # it changed while people were counted
    transition(locked, from_states=[Issue.State.IN_REVIEW], to=Issue.State.APPROVED)
    report_issue(EventKind.ISSUE_APPROVED, locked, now=now)
    if _find_recent_restored_notices(locked, now=now).exists():
        return True
    subject = Message("%(issue)s is approved", issue=locked)
    paragraphs = [
        Message("It was waiting for approval. The reason is gone, so the approvals that it has are enough."),
        Message("It needs no further approval. If it should not be sent, put it on hold."),
    ]
    find_waiting_notices(locked).delete()  # no longer true
    key = _make_restored_key(locked)
    StaffNotice.objects.filter(key=key).delete()  # of an earlier time: the new one has the same key
    write_notice(locked.publication, key, subject, paragraphs, issue_page_url(locked), now)
    return True
