"""Approve one content hash, and withdraw the approvals of an issue. Nothing here sends."""

from collections.abc import Callable
from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from newsletter.common.errors import AudienceChanged, NeedsManualApproval, NotAllowed, NotApproved, NotReady, WrongState
from newsletter.common.messages import Message, describe_people, end_sentence
from newsletter.issues.approval.approval_rules import (
    count_approvals,
    count_approvals_needed,
    count_recipients,
    find_manual_approval_reason,
    require_approval_permission,
    require_enough_approvals,
)
from newsletter.issues.approval.approved_audience import describe_audience, hash_audience, max_people_just_seen
from newsletter.issues.approval.changes_since_approval import find_changes
from newsletter.issues.approval.content_checks import describe_checked, find_merge_field_error
from newsletter.issues.approval.open_comments import require_comments_resolved
from newsletter.issues.approval.publication_switches import require_issue_enabled
from newsletter.issues.approval.welcome_rules import require_first_mail_on, require_own_words, turn_on_welcome
from newsletter.issues.checks.issue_check import find_errors
from newsletter.issues.protected_terms.check import require_unprotected
from newsletter.issues.snapshot.content_links import check_linked_stories
from newsletter.issues.snapshot.incomplete_parts import find_incomplete_parts
from newsletter.issues.snapshot.placements import require_stories_placed, update_story_placements
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.resolve import hash_approved_content, resolve_complete_content, resolve_content
from newsletter.issues.snapshot.revisions import freeze_revision
from newsletter.issues.variants.count_recipients import count_final_audience, count_people
from newsletter.issues.variants.exclusion_labels import explain_nobody
from newsletter.issues.variants.recipient_groups import group_recipients
from newsletter.issues.variants.store_variants import make_variants
from newsletter.issues.variants.subject_test_rules import require_enough_people, require_subject_test_possible
from newsletter.models import Approval, Issue, IssueRevision, Publication, Send, transition
from newsletter.outbound.publishing_facts import report_issue
from subscribers.models import EventKind

_CHECK_FAILED = Message("%(issue)s fails a check: %(error)s")


def approve_issue(
    *,
    issue: Issue,
    by: User | AnonymousUser,
    now: datetime,
    seen_sha256: str = "",
    seen_audience: str = "",
    seen_people: int | None = None,
    write_entry: Callable[[], object] | None = None,
) -> Approval:
    """Approve the current content of the issue for its current audience.

    ``seen_sha256``, ``seen_audience`` and ``seen_people`` are the content's hash, the audience's hash and the number of
    recipients that the person saw. The approval is refused if one changed, or if the number of recipients grew by more than 10 %.
    If the publication needs a second approval, the issue is in review until there is one. The approval and the staff log's
    entry, by ``write_entry``, are one transaction.
    Raises SwitchedOff, NotAllowed, NotApproved, AudienceChanged, NotReady (a check fails), WrongState.
    """
    require_issue_enabled(issue)
    require_approval_permission(issue, by=by)
    require_comments_resolved(issue)
    require_first_mail_on(issue)
    revision = freeze_checked_revision(issue=issue, now=now)
    if seen_sha256 and seen_sha256 != revision.sha256:
        raise NotApproved("The issue was edited after you opened it. Read it again, then approve.")
    people = count_recipients(issue, now=now)
    if seen_audience and seen_audience != hash_audience(describe_audience(issue)):
        raise AudienceChanged("The audience of the issue changed after you opened it. Check it again, then approve.")
    if seen_people is not None and people > max_people_just_seen(seen_people):
        raise AudienceChanged(
            "The issue was for %(seen)s when you opened it, and would now go to %(people)s. Check them again, then approve.",
            seen=describe_people(seen_people),
            people=describe_people(people),
        )
    with transaction.atomic():
        approval = _record_approval(issue=issue, revision=revision, person_id=by.pk, people=people, now=now)
        if write_entry is not None:
            write_entry()
    return approval


def approve_by_policy(*, issue: Issue, now: datetime) -> Approval:
    """Approve an issue of a publication that sends unless held, if no rule needs a person's approval.

    Raises SwitchedOff, NotAllowed, NeedsManualApproval, NotReady, WrongState.
    """
    require_issue_enabled(issue)
    if issue.publication.approval != Publication.ApprovalPolicy.AUTO:
        raise NotAllowed("%(name)s needs a person’s approval for each issue.", name=issue.publication.name)
    if issue.slot_id is None:
        raise NotAllowed("%(issue)s is not from the schedule, so it needs a person’s approval.", issue=issue)
    if issue.held:
        raise NotReady(
            "%(issue)s is held: %(reason)s",
            issue=issue,
            reason=end_sentence(issue.held_reason or Message("no reason was given")),
        )
    require_comments_resolved(issue)
    people = count_recipients(issue, now=now)
    reason = find_manual_approval_reason(issue, people=people)
    if reason:
        raise NeedsManualApproval("%(issue)s is waiting for approval. %(reason)s", issue=issue, reason=reason)
    return _record_approval(
        issue=issue, revision=freeze_checked_revision(issue=issue, now=now), person_id=None, people=people, now=now
    )


def freeze_checked_revision(*, issue: Issue, now: datetime, rehearsed: bool = True) -> IssueRevision:
    """Freeze the issue as it is now, make a variant for each group of the audience, and check all of them.

    Nobody has approved the mails before: those that were made by an earlier version of the program are made again.
    A welcome mail is ``rehearsed`` with everybody on the list; without it, with the people who are to get it now, and it may
    have nothing for them.
    Raises WrongState; NotReady with the incomplete parts, or with the first error that a check finds.
    """
    if issue.state not in Issue.UNSENT_STATES:
        raise WrongState(
            "%(issue)s is %(state)s; it cannot be approved or sent again.", issue=issue, state=issue.get_state_display()
        )
    resolve_complete_content(issue)
    revision = freeze_revision(issue=issue, now=now)
    content = IssueContent.from_json(revision.content)
    update_story_placements(issue=issue, content=content, now=now)
    groups, visibility = group_recipients(issue, content=content, now=now, rehearsed=rehearsed)
    require_subject_test_possible(content, issue=issue)
    require_enough_people(content, groups=groups)
    renew = may_renew_mails(issue, content=content)
    variants = make_variants(revision=revision, groups=groups, visibility=visibility, renew=renew)
    require_own_words(content, issue=issue)
    if rehearsed and not variants:
        raise NotReady(explain_nobody(issue, counted=count_final_audience(issue, content=content, now=now)))
    if failed := next(find_errors(describe_checked(content, now=now)), None):
        raise NotReady(_CHECK_FAILED, issue=issue, error=failed.message)
    for variant in variants:
        if error := find_merge_field_error(variant):
            raise NotReady(_CHECK_FAILED, issue=issue, error=error)
        errors = [finding for finding in variant.findings if finding["level"] == "error"]
        if errors:
            more = Message(" More problems: %(count)s.", count=len(errors) - 1) if len(errors) > 1 else ""
            raise NotReady(
                "%(issue)s fails a check: %(error)s%(more)s", issue=issue, error=errors[0]["message"], more=more
            )
    linked = next(check_linked_stories(content, at=max(content.issue.due_at, now)), None)
    if linked:
        raise NotReady(_CHECK_FAILED, issue=issue, error=linked.message)
    require_unprotected(issue=issue, content=content, mails=variants)
    return revision


def may_renew_mails(issue: Issue, *, content: IssueContent) -> bool:
    """Return True if nobody approved the issue's mails with this content, and they are not being sent."""
    is_approved = _find_approvals(issue, sha256=hash_approved_content(content)).exists()
    return not is_approved and not issue.sends.exclude(state=Send.State.CANCELLED).exists()


def find_current_approval(issue: Issue) -> Approval | None:
    """Return an approval of the current content for the current list and segment, if there is one.

    Nobody approved an issue that is incomplete.
    """
    if find_incomplete_parts(issue):
        return None
    approvals = _find_approvals(issue, sha256=hash_approved_content(resolve_content(issue)))
    return approvals.select_related("revision").first()


def _find_approvals(issue: Issue, *, sha256: str) -> QuerySet[Approval]:
    audience = hash_audience(describe_audience(issue))
    return issue.approvals.filter(sha256=sha256, audience_sha256=audience, withdrawn_at__isnull=True)


def require_approval(issue: Issue, *, now: datetime | None = None) -> Approval:
    """Return the approval that allows the issue to be sent now to its current audience.

    Raises NotApproved if the content changed or too few people approved it. Raises AudienceChanged if the list or the
    segment changed, or if it would go to many more people.
    """
    approval = require_approved_content(issue)
    possible = count_people(issue, now=now or timezone.now()).eligible
    try:
        require_enough_approvals(issue, sha256=approval.sha256, people=possible)
    except NotApproved:  # fewer people may get it: counting them takes longer
        require_enough_approvals(issue, sha256=approval.sha256, people=count_recipients(issue, now=now))
    return approval


def require_approved_content(issue: Issue) -> Approval:
    """Return an approval of the current content for the issue's list and segment, for any number of people.

    Raises NotApproved if the content changed, AudienceChanged if the list or the segment did.
    """
    approval = find_current_approval(issue)
    if approval is None:
        changes = find_changes(issue)
        refusal = AudienceChanged if _is_approved_for_others(issue) else NotApproved
        raise refusal(
            Message(
                "%(issue)s changed after it was approved (%(changes)s). Read it and approve it again.",
                issue=issue,
                changes=Message.joined(changes),
            )
            if changes
            else Message(
                "%(issue)s is not approved. Approve it with `newsletter approve %(reference)s --by EMAIL` or in the desk.",
                issue=issue,
                reference=issue.reference,
            )
        )
    return approval


def _is_approved_for_others(issue: Issue) -> bool:
    """Return True if its content is approved for another list or segment rule."""
    sha256 = hash_approved_content(resolve_content(issue))
    return issue.approvals.filter(sha256=sha256, withdrawn_at__isnull=True).exists()


def reopen_approval(*, issue: Issue, error: NotApproved, now: datetime) -> None:
    """Undo the approved state after a refusal: withdraw the approvals, or wait for a second one."""
    if isinstance(error, AudienceChanged):
        withdraw_approvals(issue=issue, now=now)
    elif find_current_approval(issue) is not None and transition(
        issue, from_states=[Issue.State.APPROVED], to=Issue.State.IN_REVIEW
    ):
        report_issue(EventKind.ISSUE_WAITING, issue, now=now)


def withdraw_approvals(*, issue: Issue, now: datetime) -> int:
    """Withdraw every approval, so that the issue is a draft again. Return how many there were.

    Approvals of an issue that is being sent or was sent stay: they record who allowed it.
    """
    open_ = Issue.objects.filter(pk=issue.pk, state__in=Issue.UNSENT_STATES)
    with transaction.atomic():
        withdrawn = issue.approvals.filter(withdrawn_at__isnull=True, issue__in=open_).update(withdrawn_at=now)
        if withdrawn:
            report_issue(EventKind.ISSUE_APPROVAL_WITHDRAWN, issue, now=now)
        transition(issue, from_states=[Issue.State.APPROVED, Issue.State.IN_REVIEW], to=Issue.State.DRAFT)
    return withdrawn


def _record_approval(
    *, issue: Issue, revision: IssueRevision, person_id: int | None, people: int, now: datetime
) -> Approval:
    audience, content = describe_audience(issue), IssueContent.from_json(revision.content)
    sha256 = hash_approved_content(content)
    with transaction.atomic():
        approvals_of_person = issue.approvals.filter(
            sha256=sha256, person=person_id, by_policy=person_id is None, withdrawn_at__isnull=True
        )
        approvals_of_person.exclude(audience_sha256=hash_audience(audience), people__gte=people).update(
            withdrawn_at=now
        )
        try:
            with transaction.atomic():
                approval = Approval.objects.create(
                    issue=issue,
                    revision=revision,
                    sha256=sha256,
                    person_id=person_id,
                    by_policy=person_id is None,
                    audience=audience,
                    audience_sha256=hash_audience(audience),
                    people=people,
                    at=now,
                )
        except IntegrityError:
            approval = approvals_of_person.get()
        if person_id is None or _has_enough(issue, sha256=sha256, people=people):
            transition(issue, from_states=Issue.UNSENT_STATES, to=Issue.State.APPROVED)
            report_issue(EventKind.ISSUE_APPROVED, issue, now=now)
        else:
            transition(issue, from_states=Issue.UNSENT_STATES, to=Issue.State.IN_REVIEW)
            report_issue(EventKind.ISSUE_WAITING, issue, now=now)
        require_stories_placed(issue=issue, content=content)
        turn_on_welcome(issue, now=now)
    return approval


def _has_enough(issue: Issue, *, sha256: str, people: int) -> bool:
    count = count_approvals(issue, sha256=sha256, people=people)
    return count >= max(count_approvals_needed(issue, people=people), 1)
