"""A person's yes to one content hash, and holding an issue back. Nothing here sends."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter.errors import NotAllowed, NotApproved, NotReady, WrongState
from newsletter.issues.approval_rules import approvals_needed, count_approvals, require_right, require_second
from newsletter.issues.audience import count_people
from newsletter.issues.changes import find_changes
from newsletter.issues.content import hash_content, resolve_content
from newsletter.issues.content_checks import check_events
from newsletter.issues.dry_run import find_unfillable
from newsletter.issues.further_reading import check_links
from newsletter.issues.place import place_stories
from newsletter.issues.protected_check import require_unprotected
from newsletter.issues.variants import find_groups, freeze_revision, make_variants
from newsletter.models import Approval, Issue, IssueRevision, Publication, move

OPEN_STATES = (Issue.State.DRAFT, Issue.State.IN_REVIEW)


def approve_issue(*, issue: Issue, by: Any, now: datetime, seen_sha256: str = "") -> Approval:
    """Approve what the issue says now. ``seen_sha256`` is the content the person looked at: another is refused.

    Where the publication asks for a second person, the issue is in review until there is one.
    Raises NotAllowed, NotApproved (the content changed since it was seen), NotReady (a check fails), WrongState.
    """
    require_right(issue, by=by)
    revision = check_ready(issue=issue, now=now)
    if seen_sha256 and seen_sha256 != revision.sha256:
        raise NotApproved(_("The issue was edited after you looked at it. Look again, then approve."))
    return _record(issue=issue, revision=revision, person=by, now=now)


def approve_by_policy(*, issue: Issue, now: datetime) -> Approval:
    """The publication's own yes, where its policy is to go out unless held."""
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
    return _record(issue=issue, revision=check_ready(issue=issue, now=now), person=None, now=now)


def check_ready(*, issue: Issue, now: datetime) -> IssueRevision:
    """The frozen revision of the issue as it is now, with a variant for each group of the audience, none failing a check.

    Raises NotReady with the first fault, in words.
    """
    if issue.state not in (*OPEN_STATES, Issue.State.APPROVED):
        raise WrongState(
            _("%(issue)s is %(state)s; it cannot be approved or sent again.")
            % {"issue": issue, "state": issue.get_state_display()}
        )
    revision = freeze_revision(issue=issue, now=now)
    place_stories(issue=issue, content=revision.content)
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
    due = datetime.fromisoformat(revision.content["issue"]["due_at"])
    past = [
        find.message for find in check_events(revision.content, delivered_at=max(due, now)) if find.level == "error"
    ]
    if past:
        raise NotReady(_("%(issue)s fails a check: %(value)s") % {"issue": issue, "value": past[0]})
    for variant in variants:
        unfillable = find_unfillable(variant)
        if unfillable:
            raise NotReady(_("%(issue)s fails a check: %(value)s") % {"issue": issue, "value": unfillable})
        errors = [finding for finding in variant.findings if finding["level"] == "error"]
        if errors:
            more = _(" (and %(value)s more)") % {"value": len(errors) - 1} if len(errors) > 1 else ""
            raise NotReady(
                _("%(issue)s fails a check: %(value)s%(more)s")
                % {"issue": issue, "value": errors[0]["message"], "more": more}
            )
    linked = next(check_links(revision.content, at=max(due, now)), None)
    if linked:
        raise NotReady(_("%(issue)s fails a check: %(value)s") % {"issue": issue, "value": linked.message})
    require_unprotected(issue=issue, content=revision.content, mails=variants)
    return revision


def current_approval(issue: Issue) -> Approval | None:
    """The approval of exactly what the issue says now, if there is one."""
    sha256 = hash_content(resolve_content(issue))
    return issue.approvals.filter(sha256=sha256, withdrawn_at__isnull=True).select_related("revision").first()


def require_approval(issue: Issue) -> Approval:
    """Raises NotApproved when what the issue says now is not what was approved."""
    approval = current_approval(issue)
    if approval is None:
        changes = find_changes(issue)
        raise NotApproved(
            _("%(issue)s changed after it was approved (%(named)s). Look at it and approve it again.")
            % {"issue": issue, "named": "; ".join(changes)}
            if changes
            else _(
                "%(issue)s is not approved. Approve it with `newsletter approve %(reference)s --by EMAIL` or in the desk."
            )
            % {"issue": issue, "reference": issue.reference}
        )
    require_second(issue, sha256=approval.sha256, now=timezone.now())
    return approval


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
        if current_approval(issue) is None and issue.approvals.filter(withdrawn_at__isnull=True).exists():
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


def _record(*, issue: Issue, revision: IssueRevision, person: User | None, now: datetime) -> Approval:
    with transaction.atomic():
        try:
            with transaction.atomic():
                approval = Approval.objects.create(
                    issue=issue,
                    revision=revision,
                    sha256=revision.sha256,
                    person=person,
                    by_policy=person is None,
                    at=now,
                )
        except IntegrityError:
            approval = Approval.objects.get(
                issue=issue, sha256=revision.sha256, person=person, by_policy=person is None, withdrawn_at__isnull=True
            )
        if person is None or _has_enough(issue, sha256=revision.sha256, now=now):
            move(issue, of=[*OPEN_STATES, Issue.State.APPROVED], to=Issue.State.APPROVED)
        else:
            move(issue, of=OPEN_STATES, to=Issue.State.IN_REVIEW)
    return approval


def _has_enough(issue: Issue, *, sha256: str, now: datetime) -> bool:
    if issue.publication.second_approval_above is None:
        return True
    needed = approvals_needed(issue, people=count_people(issue, now=now).eligible)
    return count_approvals(issue, sha256=sha256) >= needed
