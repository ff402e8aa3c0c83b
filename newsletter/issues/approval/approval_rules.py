"""Rules of approval: who may approve an issue, how many people must, and which approvals count. It writes no rows."""

from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.models import AnonymousUser, Permission, User
from django.db.models import Q, QuerySet
from django.utils import timezone

from newsletter.common.errors import AudienceChanged, BadRule, NotAllowed, NotApproved, NotReady
from newsletter.common.messages import Message, Quantity, describe_people
from newsletter.issues.approval.approved_audience import describe_audience, hash_audience, max_people_after_growth
from newsletter.issues.approval.authors import describe_authors, find_authors, find_authors_of_approved
from newsletter.issues.approval.publication_switches import is_switched_off
from newsletter.issues.snapshot.resolve import hash_approved_content, resolve_complete_content, resolve_content
from newsletter.issues.variants.count_recipients import count_final_audience, count_people
from newsletter.models import Approval, Issue, Publication
from subscribers.audience.counting import AudienceCount


def is_automatic(issue: Issue) -> bool:
    """Return True if the publication sends its issues unless staff hold them.

    An issue without a slot, a correction or one on demand, always needs a person.
    """
    return issue.publication.approval == Publication.ApprovalPolicy.AUTO and issue.slot_id is not None


def is_unsubmitted(issue: Issue) -> bool:
    """Return True if staff made the draft themselves, without a time, and nobody was asked to approve it yet."""
    made_by_staff = issue.kind == Issue.Kind.ISSUE and issue.slot_id is None and issue.due_at is None
    return made_by_staff and issue.state == Issue.State.DRAFT and not issue.approvals.exists()


def is_sent_automatically(issue: Issue, *, people: int | None = None) -> bool:
    """Return True if the issue will be sent when it is due, without a person's approval.

    ``people`` is the number of recipients now; it is counted if it is not given. An invalid segment rule makes it
    False.
    """
    if not is_automatic(issue) or is_switched_off(issue.kind, publication=issue.publication):
        return False
    try:
        return not find_manual_approval_reason(issue, people=count_recipients(issue) if people is None else people)
    except BadRule:
        return False


def find_manual_approval_reason(issue: Issue, *, people: int) -> str:
    """Return why an automatic issue needs a person's approval, as a sentence; "" if it needs none."""
    publication, announced = issue.publication, issue.announced_people
    if announced is None:
        return Message("Staff have not been notified of the number of recipients.")
    if issue.announced_audience != hash_audience(describe_audience(issue)):
        return Message("Its list or segment changed after staff were notified.")
    if people > max_people_after_growth(announced):
        return Message(
            "The notice to staff said %(announced)s. Now it would go to %(people)s.",
            announced=describe_people(announced),
            people=describe_people(people),
        )
    if _needs_two(issue, people=people):
        return Message(
            "It goes to %(people)s people. Two people must approve an issue that goes to more than %(limit)s.",
            people=Quantity(people),
            limit=Quantity(publication.second_approval_above or 0),
        )
    if requires_other_approver(publication) and find_authors(issue):
        return Message("%(edits)s, so another person must approve it.", edits=describe_authors(issue))
    return ""


def count_recipients(issue: Issue, *, now: datetime | None = None, at_once: bool = False) -> int:
    """Return how many people would get the issue now. The send uses the same rule."""
    return count_audience_for_send(issue, now=now, at_once=at_once).eligible


def count_audience_for_send(issue: Issue, *, now: datetime | None = None, at_once: bool = False) -> AudienceCount:
    """Return the counts that a send would freeze now: candidates, recipients, exclusions by reason.

    ``at_once``: the send does not wait for the time at which the issue is due.

    While a block is incomplete, nearby events are unknown: then everybody who may be mailed counts as a recipient.
    """
    now = now or timezone.now()
    try:
        content = resolve_complete_content(issue)
    except (NotReady, OSError):
        return count_people(issue, now=now, at_once=at_once)
    return count_final_audience(issue, content=content, now=now, at_once=at_once)


def requires_other_approver(publication: Publication) -> bool:
    """Return True if authors cannot approve alone.

    If the publication has no setting, return True if at least two people may approve.
    """
    if publication.another_approves is not None:
        return bool(publication.another_approves)
    return len(find_approvers().values_list("pk", flat=True)[:2]) == 2


def needs_another_approver(issue: Issue, *, by: User | AnonymousUser) -> bool:
    """Return True if the person is an author of the issue, so that their approval does not count."""
    return requires_other_approver(issue.publication) and by.pk in find_authors(issue)


def find_approvers() -> QuerySet[User]:
    """Return the active staff who may approve issues, superusers included."""
    may = Permission.objects.filter(content_type__app_label="newsletter", codename="approve_issue")
    through = Q(groups__permissions__in=may) | Q(user_permissions__in=may) | Q(is_superuser=True)
    return User.objects.filter(through, is_active=True).distinct().order_by("pk")


def require_approval_permission(issue: Issue, *, by: User | AnonymousUser) -> None:
    """Raise NotAllowed if the person lacks the role, or is an author and another person must approve."""
    if not by.has_perm("newsletter.approve_issue"):
        raise NotAllowed("%(by)s may not approve issues. An administrator can give the role “approver”.", by=by)
    if needs_another_approver(issue, by=by):
        raise NotAllowed(
            "%(by)s wrote or edited %(issue)s, or content that it shows. %(publication)s needs somebody else’s "
            "approval. Ask another approver.",
            by=by,
            issue=issue,
            publication=issue.publication,
        )


def count_approvals_needed(issue: Issue, *, people: int) -> int:
    """Return how many people must approve an issue with this number of recipients; 0 if it is sent automatically."""
    if _needs_two(issue, people=people):
        return 2
    return 0 if is_sent_automatically(issue, people=people) else 1


def count_approvals(issue: Issue, *, sha256: str, people: int) -> int:
    """Return how many people's approvals are valid for this content, the current audience and this number of recipients."""
    return len(
        {
            approval.person_id
            for approval in find_valid_approvals(issue, sha256=sha256, people=people)
            if not approval.by_policy
        }
    )


def find_first_of_two(issue: Issue, *, now: datetime) -> Approval | None:
    """Return the only valid approval of an issue that needs two.

    Return None if the issue needs fewer, or if none or more are valid. A large audience is counted only if it decides that.
    """
    sha256 = hash_approved_content(resolve_content(issue))
    try:
        if not find_valid_approvals(issue, sha256=sha256, people=0) or not _needs_two(
            issue, people=count_people(issue, now=now).eligible
        ):
            return None
        people = count_recipients(issue, now=now)
    except BadRule:
        return None  # the issue's checks report the error
    valid = [
        approval for approval in find_valid_approvals(issue, sha256=sha256, people=people) if not approval.by_policy
    ]
    return valid[0] if len(valid) == 1 and _needs_two(issue, people=people) else None


def find_valid_approvals(issue: Issue, *, sha256: str, people: int) -> list[Approval]:
    """Return the approvals of this content and audience that cover ``people`` recipients.

    Leave out approvals of people who may not approve any more and, if required, of authors. A welcome mail is approved for
    everybody who joins from then on, also after its approver has left.
    """
    valid = [
        approval
        for approval in _find_approvals_of_audience(issue, sha256=sha256)
        if issue.is_welcome or covers_people(approval, people=people)
    ]
    lapsed = find_lapsed_approvals(issue, valid, people=people)
    valid = [approval for approval in valid if approval not in lapsed]
    if valid and requires_other_approver(issue.publication):
        valid = [approval for approval in valid if approval.by_policy or not _is_by_author(issue, approval)]
    return valid


def find_lapsed_approvals(issue: Issue, approvals: Sequence[Approval], *, people: int) -> list[Approval]:
    """Return those of the approvals that do not count because the person may not approve issues any more.

    The account was closed, or its role changed. Those of a welcome mail count on, and those of an issue that needs none.
    """
    by_people = [] if issue.is_welcome else [approval for approval in approvals if not approval.by_policy]
    if not by_people:
        return []
    persons = {approval.person_id for approval in by_people if approval.person_id is not None}
    approvers = set(find_approvers().filter(pk__in=persons).values_list("pk", flat=True))
    lapsed = [approval for approval in by_people if approval.person_id not in approvers]
    return [] if lapsed and is_sent_automatically(issue, people=people) else lapsed


def covers_people(approval: Approval, *, people: int) -> bool:
    """Return True if the number of recipients grew no more than new sign-ups explain since the approval."""
    return approval.people is not None and people <= max_people_after_growth(approval.people)


def require_enough_approvals(issue: Issue, *, sha256: str, people: int) -> None:
    """Raise NotApproved or AudienceChanged unless enough approvals are valid for this number of recipients."""
    valid = find_valid_approvals(issue, sha256=sha256, people=people)
    persons = {approval.person_id for approval in valid if not approval.by_policy}
    needed = count_approvals_needed(issue, people=people)
    if len(persons) >= max(needed, 1) or (needed == 0 and any(approval.by_policy for approval in valid)):
        return
    _raise_not_enough(
        issue,
        candidates=_find_approvals_of_audience(issue, sha256=sha256),
        people=people,
        persons=len(persons),
        needed=needed,
    )


def _raise_not_enough(issue: Issue, *, candidates: Sequence[Approval], people: int, persons: int, needed: int) -> None:
    outgrown = [
        approval.people
        for approval in candidates
        if approval.people is not None and not covers_people(approval, people=people)
    ]
    if outgrown and persons < max(needed, 1):
        raise AudienceChanged(
            "%(issue)s was approved for %(approved)s and would now go to %(people)s. Nothing was sent. "
            "Check the recipients and approve it again.",
            issue=issue,
            approved=describe_people(min(outgrown)),
            people=describe_people(people),
        )
    if lapsed := find_lapsed_approvals(issue, candidates, people=people):
        raise NotApproved(
            "%(issue)s was approved by %(names)s, who may no longer approve issues. That approval no longer counts. Ask an "
            "approver to read and approve it.",
            issue=issue,
            names=", ".join(str(approval.person) for approval in lapsed),
        )
    if needed > 1:
        raise NotApproved(
            "%(issue)s goes to %(people)s people. %(publication)s needs a second approval for more than "
            "%(limit)s people. %(given)s of 2 people have approved it.",
            issue=issue,
            people=Quantity(people),
            publication=issue.publication,
            limit=Quantity(issue.publication.second_approval_above or 0),
            given=persons,
        )
    if any(not approval.by_policy and _is_by_author(issue, approval) for approval in candidates):
        raise NotApproved(
            "The person who approved %(issue)s also wrote or edited it, or content that it shows. "
            "%(publication)s needs somebody else’s approval. Ask another approver.",
            issue=issue,
            publication=issue.publication,
        )
    raise NotApproved(
        "%(issue)s was approved automatically, and its publication now needs a person’s approval. Ask an approver.",
        issue=issue,
    )


def _needs_two(issue: Issue, *, people: int) -> bool:
    above = issue.publication.second_approval_above
    return above is not None and people > above


def _find_approvals_of_audience(issue: Issue, *, sha256: str) -> list[Approval]:
    audience = hash_audience(describe_audience(issue))
    approvals = issue.approvals.filter(sha256=sha256, audience_sha256=audience, withdrawn_at__isnull=True)
    return list(approvals.select_related("person", "revision").order_by("at", "pk"))


def _is_by_author(issue: Issue, approval: Approval) -> bool:
    return approval.person_id in find_authors_of_approved(issue, approval)
