"""Who may approve an issue, how many must, and which approvals are enough to send it. It records nothing."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import Permission, User
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter.common.errors import AudienceChanged, BadRule, NotAllowed, NotApproved, NotReady
from newsletter.issues.approval.approved_audience import describe_audience, hash_audience, max_people_after_growth
from newsletter.issues.approval.authors import find_authors
from newsletter.issues.approval.publication_switches import is_switched_off
from newsletter.issues.snapshot.completeness import resolve_complete_content
from newsletter.issues.variants.recipient_groups import count_final_audience, count_people
from newsletter.models import Approval, Issue, Publication
from subscribers.audience.eligibility import AudienceCount


def is_automatic(issue: Issue) -> bool:
    """Whether the publication's policy is to send it unless staff hold it. A correction always needs a person."""
    auto = issue.publication.approval == Publication.ApprovalPolicy.AUTO
    return auto and issue.kind != Issue.Kind.CORRECTION


def is_sent_automatically(issue: Issue, *, people: int | None = None) -> bool:
    """Whether it will go out at its time without a person's approval.

    ``people`` is how many would get it now; without it they are counted. A segment that names something deleted is a
    reason to wait.
    """
    if not is_automatic(issue) or is_switched_off(issue.kind, publication=issue.publication):
        return False
    try:
        return not find_manual_approval_reason(issue, people=count_recipients(issue) if people is None else people)
    except BadRule:
        return False


def find_manual_approval_reason(issue: Issue, *, people: int) -> str:
    """Why an automatic issue waits for an approval, as a sentence; "" if it need not."""
    publication, told = issue.publication, issue.announced_people
    if told is None:
        return _("Staff have not been told how many people would get it.")
    if issue.announced_audience != hash_audience(describe_audience(issue)):
        return _("Its list or segment was changed after staff were told about it.")
    if people > max_people_after_growth(told):
        return _("Staff were told that it goes to %(told)s people. Now it would go to %(people)s.") % {
            "told": f"{told:,}",
            "people": f"{people:,}",
        }
    if _needs_two(issue, people=people):
        return _("It goes to %(people)s people. Two people must approve what goes to more than %(most)s.") % {
            "people": f"{people:,}",
            "most": f"{publication.second_approval_above:,}",
        }
    if requires_other_approver(publication) and find_authors(issue):
        return _("Staff edited it or something that it shows, so another person must approve it.")
    return ""


def count_recipients(issue: Issue, *, now: datetime | None = None) -> int:
    """How many people would get the issue, by the rule that the send uses."""
    return count_audience_for_send(issue, now=now).eligible


def count_audience_for_send(issue: Issue, *, now: datetime | None = None) -> AudienceCount:
    """The audience as a send would freeze it now: candidates, recipients, and who is excluded and why.

    While a block lacks something, nobody knows who has an event near them: then everybody who may be mailed counts.
    """
    now = now or timezone.now()
    try:
        content = resolve_complete_content(issue)
    except (NotReady, OSError):
        return count_people(issue, now=now)
    return count_final_audience(issue, content=content, now=now)


def requires_other_approver(publication: Publication) -> bool:
    """Whether authors cannot approve alone: as the publication says, else if two or more people may approve."""
    if publication.another_approves is not None:
        return bool(publication.another_approves)
    return bool(find_approvers().count() >= 2)


def find_approvers() -> Any:
    """The active staff who may approve issues, as a query."""
    may = Permission.objects.filter(content_type__app_label="newsletter", codename="approve_issue")
    through = Q(groups__permissions__in=may) | Q(user_permissions__in=may) | Q(is_superuser=True)
    return User.objects.filter(through, is_active=True).distinct().order_by("pk")


def require_approval_permission(issue: Issue, *, by: Any) -> None:
    """Raises NotAllowed if the person lacks the role, or is an author where another person must approve."""
    if not by.has_perm("newsletter.approve_issue"):
        raise NotAllowed(
            _("%(by)s may not approve issues. An administrator can give the role “approver”.") % {"by": by}
        )
    if requires_other_approver(issue.publication) and by.pk in find_authors(issue):
        raise NotAllowed(
            _(
                "%(by)s wrote or edited %(issue)s, or something that it shows, and %(publication)s asks that "
                "somebody else approves it. Ask another approver to look at it."
            )
            % {"by": by, "issue": issue, "publication": issue.publication}
        )


def count_approvals_needed(issue: Issue, *, people: int) -> int:
    """How many people must approve an issue that goes to so many. 0 if it goes out by itself."""
    if _needs_two(issue, people=people):
        return 2
    return 0 if is_sent_automatically(issue, people=people) else 1


def count_approvals(issue: Issue, *, sha256: str, people: int) -> int:
    """How many people's approvals hold for exactly this content, the audience as it is now, and so many people."""
    return len(
        {one.person_id for one in find_valid_approvals(issue, sha256=sha256, people=people) if not one.by_policy}
    )


def find_valid_approvals(issue: Issue, *, sha256: str, people: int) -> list[Approval]:
    """The approvals that hold: of this content, this audience and so many people, and not of an author."""
    holding = [one for one in _find_approvals_of_audience(issue, sha256=sha256) if covers_people(one, people=people)]
    if requires_other_approver(issue.publication):
        holding = [one for one in holding if one.by_policy or not _is_by_author(issue, one)]
    return holding


def covers_people(approval: Approval, *, people: int) -> bool:
    """Whether so many people are no more than sign-ups may have added since the approval."""
    return approval.people is not None and people <= max_people_after_growth(approval.people)


def require_enough_approvals(issue: Issue, *, sha256: str, people: int) -> None:
    """Raises NotApproved, or AudienceChanged, unless enough approvals hold for so many people."""
    holding = find_valid_approvals(issue, sha256=sha256, people=people)
    persons = {one.person_id for one in holding if not one.by_policy}
    needed = count_approvals_needed(issue, people=people)
    if len(persons) >= max(needed, 1) or (needed == 0 and any(one.by_policy for one in holding)):
        return
    _raise_not_enough(
        issue,
        standing=_find_approvals_of_audience(issue, sha256=sha256),
        people=people,
        persons=len(persons),
        needed=needed,
    )


def _raise_not_enough(issue: Issue, *, standing: Sequence[Approval], people: int, persons: int, needed: int) -> None:
    outgrown = [one.people for one in standing if one.people is not None and not covers_people(one, people=people)]
    if outgrown and persons < max(needed, 1):
        raise AudienceChanged(
            _(
                "%(issue)s was approved for %(approved)s people and would now go to %(people)s. Nothing was sent. "
                "Look at who gets it and approve it again."
            )
            % {"issue": issue, "approved": f"{min(outgrown):,}", "people": f"{people:,}"}
        )
    if needed > 1:
        raise NotApproved(
            _(
                "%(issue)s goes to %(people)s people, and %(publication)s asks that a second person approves what "
                "goes to more than %(second_approval_above)s. %(given)s of 2 have approved it."
            )
            % {
                "issue": issue,
                "people": f"{people:,}",
                "publication": issue.publication,
                "second_approval_above": f"{issue.publication.second_approval_above:,}",
                "given": persons,
            }
        )
    if any(not one.by_policy and _is_by_author(issue, one) for one in standing):
        raise NotApproved(
            _(
                "Whoever approved %(issue)s also wrote or edited it, or something that it shows. %(publication)s asks "
                "that somebody else approves it. Ask another approver to look at it."
            )
            % {"issue": issue, "publication": issue.publication}
        )
    raise NotApproved(
        _("%(issue)s went by its publication's rule, which now asks for a person. Ask an approver to look at it.")
        % {"issue": issue}
    )


def _needs_two(issue: Issue, *, people: int) -> bool:
    above = issue.publication.second_approval_above
    return above is not None and people > above


def _find_approvals_of_audience(issue: Issue, *, sha256: str) -> list[Approval]:
    audience = hash_audience(describe_audience(issue))
    standing = issue.approvals.filter(sha256=sha256, audience_sha256=audience, withdrawn_at__isnull=True)
    return list(standing.select_related("person").order_by("at", "pk"))


def _is_by_author(issue: Issue, approval: Approval) -> bool:
    return approval.person_id in find_authors(issue, until=approval.at)
