"""Who may say yes to an issue, and how many must: the publication's rules of two persons. It records nothing."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from wagtail.models import Revision

from newsletter.errors import NotAllowed, NotApproved
from newsletter.issues.audience import count_people
from newsletter.models import Issue, Publication


def goes_by_itself(issue: Issue) -> bool:
    """Whether it goes out at its time without a person's yes, unless somebody holds it. A correction never does."""
    auto = issue.publication.approval == Publication.ApprovalPolicy.AUTO
    return auto and issue.kind != Issue.Kind.CORRECTION


def find_writers(issue: Issue) -> set[int]:
    """The ids of everybody who ever saved the issue in the editor."""
    return set(Revision.objects.for_instance(issue).filter(user__isnull=False).values_list("user_id", flat=True))


def require_right(issue: Issue, *, by: Any) -> None:
    """Raises NotAllowed where the person may not approve this issue: for want of the role, or for having written it."""
    if not by.has_perm("newsletter.approve_issue"):
        raise NotAllowed(
            _("%(by)s may not approve issues. An administrator can give the role “approver”.") % {"by": by}
        )
    if issue.publication.another_approves and by.pk in find_writers(issue):
        raise NotAllowed(
            _(
                "%(by)s wrote or edited %(issue)s, and %(publication)s asks that somebody else approves it. "
                "Ask another approver to look at it."
            )
            % {"by": by, "issue": issue, "publication": issue.publication}
        )


def approvals_needed(issue: Issue, *, people: int) -> int:
    """How many persons must approve an issue that goes to so many people."""
    above = issue.publication.second_approval_above
    return 2 if above is not None and people > above else 1


def count_approvals(issue: Issue, *, sha256: str) -> int:
    """How many different persons' standing approvals of exactly this content there are."""
    standing = issue.approvals.filter(sha256=sha256, withdrawn_at__isnull=True, by_policy=False)
    return standing.values("person").distinct().count()


def require_second(issue: Issue, *, sha256: str, now: datetime) -> None:
    """Raises NotApproved where so many people would get it that a second person has to approve it, and none has."""
    if issue.publication.second_approval_above is None:
        return
    if issue.approvals.filter(sha256=sha256, withdrawn_at__isnull=True, by_policy=True).exists():
        return
    if count_approvals(issue, sha256=sha256) >= 2:
        return
    people = count_people(issue, now=now).eligible
    if approvals_needed(issue, people=people) > 1:
        raise NotApproved(
            _(
                "%(issue)s goes to %(people)s people, and %(publication)s asks that a second person approves what "
                "goes to more than %(second_approval_above)s. One has."
            )
            % {
                "issue": issue,
                "people": f"{people:,}",
                "publication": issue.publication,
                "second_approval_above": f"{issue.publication.second_approval_above:,}",
            }
        )
