"""A person's yes to one content hash, and holding an issue back. Nothing here sends."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from newsletter.common.errors import AudienceChanged, NeedsManualApproval, NotAllowed, NotApproved, NotReady, WrongState
from newsletter.issues.approval.approval_rules import (
    count_approvals,
    count_approvals_needed,
    count_recipients,
    find_manual_approval_reason,
    require_approval_permission,
    require_enough_approvals,
)
from newsletter.issues.approval.approved_audience import describe_audience, hash_audience, max_people_after_growth
from newsletter.issues.approval.changes_since_approval import find_changes
from newsletter.issues.approval.content_checks import check_events
from newsletter.issues.approval.merge_field_checks import find_merge_field_error
from newsletter.issues.approval.publication_switches import require_issue_enabled
from newsletter.issues.protected_terms.check import require_unprotected
from newsletter.issues.snapshot.placements import update_story_placements
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.related_links import check_linked_stories
from newsletter.issues.snapshot.resolve import hash_content, resolve_content
from newsletter.issues.variants.recipient_groups import find_groups
from newsletter.issues.variants.render import freeze_revision, make_variants
from newsletter.models import Approval, Issue, IssueRevision, Publication, move

OPEN_STATES = (Issue.State.DRAFT, Issue.State.IN_REVIEW)


def approve_issue(
    *,
    issue: Issue,
    by: Any,
    now: datetime,
    seen_sha256: str = "",
    seen_audience: str = "",
    seen_people: int | None = None,
) -> Approval:
    """Approve what the issue says now, for the people who get it now.

    ``seen_sha256``, ``seen_audience`` and ``seen_people`` are the content, the audience's hash and the number that the
    person looked at: another content or audience, or many more people, is refused.
    Where the publication asks for a second person, the issue is in review until there is one.
    Raises SwitchedOff, NotAllowed, NotApproved, AudienceChanged, NotReady (a check fails), WrongState.
    """
    require_issue_enabled(issue)
    require_approval_permission(issue, by=by)
    revision = freeze_checked_revision(issue=issue, now=now)
    if seen_sha256 and seen_sha256 != revision.sha256:
        raise NotApproved(_("The issue was edited after you looked at it. Look again, then approve."))
    people = count_recipients(issue, now=now)
    if seen_audience and seen_audience != hash_audience(describe_audience(issue)):
        raise AudienceChanged(_("Who gets the issue was changed after you looked at it. Look again, then approve."))
    if seen_people is not None and people > max_people_after_growth(seen_people):
        raise AudienceChanged(
            _("You looked at %(seen)s people, and now the issue would go to %(people)s. Look again, then approve.")
            % {"seen": f"{seen_people:,}", "people": f"{people:,}"}
        )
    return _record_approval(issue=issue, revision=revision, person=by, people=people, now=now)


def approve_by_policy(*, issue: Issue, now: datetime) -> Approval:
    """Approve by the publication's own rule, if its issues go out unless held and no rule asks for a person.

    Raises SwitchedOff, NotAllowed, NeedsManualApproval, NotReady, WrongState.
    """
    require_issue_enabled(issue)
    if issue.publication.approval != Publication.ApprovalPolicy.AUTO:
        raise NotAllowed(_("%(name)s goes out only when a person approves it.") % {"name": issue.publication.name})
    if issue.kind == Issue.Kind.CORRECTION:
        raise NotAllowed(
            _("%(issue)s goes out only when a person approves it, as every correction.") % {"issue": issue}
        )
    if issue.held:
        raise NotReady(
            _("%(issue)s is held: %(value)s.")
            % {"issue": issue, "value": issue.held_reason or _("no reason was given")}
        )
    people = count_recipients(issue, now=now)
    why = find_manual_approval_reason(issue, people=people)
    if why:
        raise NeedsManualApproval(_("%(issue)s waits for an approval. %(why)s") % {"issue": issue, "why": why})
    return _record_approval(
        issue=issue, revision=freeze_checked_revision(issue=issue, now=now), person=None, people=people, now=now
    )


def freeze_checked_revision(*, issue: Issue, now: datetime) -> IssueRevision:
    """The frozen revision of the issue as it is now, with a variant for each group of the audience, none failing a check.

    Raises NotReady with the first fault, in words.
    """
    if issue.state not in (*OPEN_STATES, Issue.State.APPROVED):
        raise WrongState(
            _("%(issue)s is %(state)s; it cannot be approved or sent again.")
            % {"issue": issue, "state": issue.get_state_display()}
        )
    revision = freeze_revision(issue=issue, now=now)
    content = IssueContent.from_json(revision.content)
    update_story_placements(issue=issue, content=content)
    variants = make_variants(revision=revision, groups=find_groups(issue, now=now))
    if not variants:
        raise NotReady(
            _("Nobody would get %(issue)s: the list “%(name)s” has nobody who may be mailed")
            % {"issue": issue, "name": issue.publication.mailing_list.name}
            + (
                _(" in the segment “%(name)s”.") % {"name": issue.publication.segment.name}
                if issue.publication.segment
                else "."
            )
        )
    due = content.issue.due_at
    past = [find.message for find in check_events(content, delivered_at=max(due, now)) if find.level == "error"]
    if past:
        raise NotReady(_("%(issue)s fails a check: %(value)s") % {"issue": issue, "value": past[0]})
    for variant in variants:
        unfillable = find_merge_field_error(variant)
        if unfillable:
            raise NotReady(_("%(issue)s fails a check: %(value)s") % {"issue": issue, "value": unfillable})
        errors = [finding for finding in variant.findings if finding["level"] == "error"]
        if errors:
            more = _(" (and %(value)s more)") % {"value": len(errors) - 1} if len(errors) > 1 else ""
            raise NotReady(
                _("%(issue)s fails a check: %(value)s%(more)s")
                % {"issue": issue, "value": errors[0]["message"], "more": more}
            )
    linked = next(check_linked_stories(content, at=max(due, now)), None)
    if linked:
        raise NotReady(_("%(issue)s fails a check: %(value)s") % {"issue": issue, "value": linked.message})
    require_unprotected(issue=issue, content=content, mails=variants)
    return revision


def find_current_approval(issue: Issue) -> Approval | None:
    """An approval of exactly what the issue says now for the list and segment as they are now, if there is one."""
    standing = issue.approvals.filter(
        sha256=hash_content(resolve_content(issue)),
        audience_sha256=hash_audience(describe_audience(issue)),
        withdrawn_at__isnull=True,
    )
    return standing.select_related("revision").first()


def require_approval(issue: Issue, *, now: datetime | None = None) -> Approval:
    """The approval by which the issue may go out now, to whoever would get it now.

    Raises NotApproved if its words changed or too few people approved; AudienceChanged if the list or segment changed,
    or far more people would get it.
    """
    approval = find_current_approval(issue)
    if approval is None:
        changes = find_changes(issue)
        kind = AudienceChanged if _is_approved_for_others(issue) else NotApproved
        raise kind(
            _("%(issue)s changed after it was approved (%(named)s). Look at it and approve it again.")
            % {"issue": issue, "named": "; ".join(changes)}
            if changes
            else _(
                "%(issue)s is not approved. Approve it with `newsletter approve %(reference)s --by EMAIL` or in the desk."
            )
            % {"issue": issue, "reference": issue.reference}
        )
    require_enough_approvals(issue, sha256=approval.sha256, people=count_recipients(issue, now=now))
    return approval


def _is_approved_for_others(issue: Issue) -> bool:
    """Whether its words are approved, but for another list or segment rule."""
    sha256 = hash_content(resolve_content(issue))
    return issue.approvals.filter(sha256=sha256, withdrawn_at__isnull=True).exists()


def reopen_approval(*, issue: Issue, error: NotApproved, now: datetime) -> None:
    """An approved issue may not go out after all: void its approvals, or wait for the further person who must approve."""
    if isinstance(error, AudienceChanged):
        withdraw_approvals(issue=issue, now=now)
    elif find_current_approval(issue) is not None:
        move(issue, of=[Issue.State.APPROVED], to=Issue.State.IN_REVIEW)


def withdraw_approvals(*, issue: Issue, now: datetime) -> int:
    """Take back every approval, as an edit or a person does; the issue is a draft again. Returns how many there were.

    Those of an issue that is on its way or gone stay: they say who let it go.
    """
    open_ = Issue.objects.filter(pk=issue.pk, state__in=[*OPEN_STATES, Issue.State.APPROVED])
    with transaction.atomic():
        withdrawn = issue.approvals.filter(withdrawn_at__isnull=True, issue__in=open_).update(withdrawn_at=now)
        move(issue, of=[Issue.State.APPROVED, Issue.State.IN_REVIEW], to=Issue.State.DRAFT)
    return withdrawn


def void_changed_approvals(*, now: datetime) -> list[tuple[Issue, list[str]]]:
    """Withdraw the approvals of every issue that is no longer what was approved; gives each with what changed."""
    voided = []
    approved = Issue.objects.filter(state__in=[Issue.State.APPROVED, Issue.State.IN_REVIEW])
    for issue in approved.select_related("publication__brand", "slot"):
        if find_current_approval(issue) is None and issue.approvals.filter(withdrawn_at__isnull=True).exists():
            changes = find_changes(issue)
            withdraw_approvals(issue=issue, now=now)
            voided.append((issue, changes))
    return voided


def hold_issue(*, issue: Issue, reason: str) -> None:
    """Keep an issue from going out until it is released."""
    held = Issue.objects.filter(pk=issue.pk, state__in=[*OPEN_STATES, Issue.State.APPROVED]).update(
        held=True, held_reason=reason[:500], released_at=None
    )
    if not held:
        raise WrongState(
            _("%(issue)s is %(state)s; it is too late to hold it. Pause its send instead.")
            % {"issue": issue, "state": issue.get_state_display()}
        )
    issue.held, issue.held_reason = True, reason[:500]


def release_issue(*, issue: Issue) -> None:
    """A person has looked: it may go out, also when its slot is over."""
    Issue.objects.filter(pk=issue.pk).update(held=False, held_reason="", released_at=Now())
    issue.held, issue.held_reason = False, ""


def _record_approval(
    *, issue: Issue, revision: IssueRevision, person: User | None, people: int, now: datetime
) -> Approval:
    audience = describe_audience(issue)
    with transaction.atomic():
        own = issue.approvals.filter(
            sha256=revision.sha256, person=person, by_policy=person is None, withdrawn_at__isnull=True
        )
        own.exclude(audience_sha256=hash_audience(audience), people__gte=people).update(withdrawn_at=now)
        try:
            with transaction.atomic():
                approval = Approval.objects.create(
                    issue=issue,
                    revision=revision,
                    sha256=revision.sha256,
                    person=person,
                    by_policy=person is None,
                    audience=audience,
                    audience_sha256=hash_audience(audience),
                    people=people,
                    at=now,
                )
        except IntegrityError:
            approval = own.get()
        if person is None or _has_enough(issue, sha256=revision.sha256, people=people):
            move(issue, of=[*OPEN_STATES, Issue.State.APPROVED], to=Issue.State.APPROVED)
        else:
            move(issue, of=[*OPEN_STATES, Issue.State.APPROVED], to=Issue.State.IN_REVIEW)
    return approval


def _has_enough(issue: Issue, *, sha256: str, people: int) -> bool:
    given = count_approvals(issue, sha256=sha256, people=people)
    return given >= max(count_approvals_needed(issue, people=people), 1)
