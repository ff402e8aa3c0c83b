"""Hand a draft to those who may approve it. Nothing is approved or sent here."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction

from newsletter.common.errors import NotReady, WrongState
from newsletter.common.messages import Message
from newsletter.issues.approval.approval_rules import (
    count_recipients,
    covers_people,
    find_valid_approvals,
    is_automatic,
    requires_other_approver,
)
from newsletter.issues.approval.authors import find_authors
from newsletter.issues.approval.decision_links import LIFETIME, make_decision_url
from newsletter.issues.approval.write_notices import list_approvers_with_address, write_notice
from newsletter.issues.snapshot.resolve import hash_approved_content, resolve_content
from newsletter.models import Issue, StaffNotice, transition
from newsletter.outbound.publishing_facts import report_issue
from subscribers.models import EventKind


@transaction.atomic
def request_approval(
    *,
    issue: Issue,
    asked_by: str,
    now: datetime,
    due_at: datetime | None = None,
    by: User | AnonymousUser | None = None,
) -> int:
    """Put a draft into review and notify those who may approve it, once for each version while the link that they get works.

    Somebody whose approval of this version no longer counts is notified again: it was withdrawn, or the audience grew.

    ``due_at`` proposes when it is sent; an approver sees it before they approve. ``asked_by`` is the name that they read.
    ``by`` is the member of staff who asks, and is not notified. Nor are those whose approval of this version counts, and
    authors whose approval would not count. Return how many people are notified now.
    Raises WrongState if it is past review, is sent without an approval, or has a time by the schedule already. Raises
    NotReady if nobody else may approve it.
    """
    people = _list_people(issue, by=by)
    if by is not None and not people:
        raise NotReady(
            "Nobody else may approve this issue, so nobody was asked. Ask an administrator to give somebody the role “approver”."
        )
    locked = Issue.objects.select_for_update(of=("self",)).select_related("publication", "slot").get(pk=issue.pk)
    _require_reviewable(locked, due_at=due_at)
    if due_at is not None:
        Issue.objects.filter(pk=locked.pk).update(due_at=due_at, released_at=None)
        locked.due_at = due_at
    if transition(locked, from_states=[Issue.State.DRAFT], to=Issue.State.IN_REVIEW):
        report_issue(EventKind.ISSUE_WAITING, locked, now=now)
    sha256 = hash_approved_content(resolve_content(locked))
    key = _make_key(locked, sha256=sha256)
    approved = _find_whose_approval_counts(locked, sha256=sha256)
    people = [person for person in people if person.pk not in approved]
    _delete_old_requests(locked, key=key, people=people, sha256=sha256, now=now)
    notified = write_notice(
        locked.publication,
        key,
        Message("%(issue)s is waiting for approval", issue=locked),
        [
            Message("%(asked_by)s asks for your approval.", asked_by=asked_by),
            Message("Nothing is sent until somebody has read and approved it."),
        ],
        lambda person: make_decision_url(issue=locked.public_id, sha256=sha256, person=person.pk, now=now),
        now,
        people=people,
    )
    issue.refresh_from_db()
    return notified


def _delete_old_requests(issue: Issue, *, key: str, people: list[User], sha256: str, now: datetime) -> None:
    """Delete the requests whose link is too old, or that the person answered, so that these people are notified again."""
    answers = _find_answers(issue, sha256=sha256)
    for notice in StaffNotice.objects.filter(key=key, person__in=people):
        if notice.made_at < now - LIFETIME or _is_answered(notice.made_at, answers.get(notice.person_id)):
            notice.delete()


@dataclass(frozen=True)
class ApprovalRequest:
    """The earlier requests to approve the content as it is: the last one's time, and how many people the next one would reach.

    ``not_asked`` were never asked. ``answered`` approved since, and their approval no longer counts. ``expired`` have a link
    that is too old. ``can_be_repeated``: there are such people, or nobody who would be asked is left.
    """

    at: datetime
    not_asked: int
    answered: int
    expired: int
    can_be_repeated: bool


def find_request(
    issue: Issue, *, sha256: str, approved: Collection[int | None], by: User | AnonymousUser, now: datetime
) -> ApprovalRequest | None:
    """Return the earlier requests to approve this content, or None. ``by`` is the person who would ask again.

    ``sha256`` is the hash that people approve. ``approved`` has the ids of those whose approval counts.
    """
    notices = StaffNotice.objects.filter(key=_make_key(issue, sha256=sha256))
    asked_at = dict(notices.values_list("person_id", "made_at"))
    if not asked_at:
        return None
    people = _list_people(issue, by=by)
    waiting = [person.pk for person in people if person.pk not in approved]
    answers = _find_answers(issue, sha256=sha256)
    not_asked = sum(pk not in asked_at for pk in waiting)
    unanswered = [pk for pk in waiting if pk in asked_at and not _is_answered(asked_at[pk], answers.get(pk))]
    answered = len(waiting) - not_asked - len(unanswered)
    expired = sum(asked_at[pk] < now - LIFETIME for pk in unanswered)
    can_be_repeated = not people or not_asked + answered + expired > 0
    return ApprovalRequest(max(asked_at.values()), not_asked, answered, expired, can_be_repeated=can_be_repeated)


def list_whose_approval_is_missing(issue: Issue, *, sha256: str) -> list[User]:
    """Return those whose approval of this content would count and is not there."""
    approved = _find_whose_approval_counts(issue, sha256=sha256)
    return [person for person in _list_people(issue, by=None) if person.pk not in approved]


def _list_people(issue: Issue, *, by: User | AnonymousUser | None) -> list[User]:
    """Return those whom a request reaches: approvers with an address whose approval counts, except ``by``."""
    authors = find_authors(issue) if requires_other_approver(issue.publication) else set()
    return [person for person in list_approvers_with_address() if person != by and person.pk not in authors]


def _find_whose_approval_counts(issue: Issue, *, sha256: str) -> set[int | None]:
    """Return the ids of those whose approval of this content counts. A large audience is counted only if it decides that."""
    valid = find_valid_approvals(issue, sha256=sha256, people=0)
    if valid and not issue.is_welcome:
        recipients = count_recipients(issue)
        valid = [approval for approval in valid if covers_people(approval, people=recipients)]
    return {approval.person_id for approval in valid}


def _find_answers(issue: Issue, *, sha256: str) -> dict[int | None, datetime]:
    """Return when each person last approved this content, also if the approval was withdrawn."""
    return dict(issue.approvals.filter(sha256=sha256).order_by("at").values_list("person_id", "at"))


def _is_answered(asked_at: datetime, answered_at: datetime | None) -> bool:
    return answered_at is not None and asked_at <= answered_at


def _make_key(issue: Issue, *, sha256: str) -> str:
    return f"asked-{issue.pk}-{sha256[:16]}"


def _require_reviewable(issue: Issue, *, due_at: datetime | None) -> None:
    if issue.state not in Issue.UNAPPROVED_STATES:
        raise WrongState(
            "%(issue)s is %(state)s, so it is too late to ask for approval.",
            issue=issue,
            state=issue.get_state_display(),
        )
    if is_automatic(issue):
        raise WrongState("%(issue)s is sent automatically unless staff hold it. It needs no approval.", issue=issue)
    if due_at is not None and issue.slot_id is not None:
        raise WrongState("%(issue)s has its time by the schedule. Ask for approval without a time.", issue=issue)
    if due_at is not None and issue.is_welcome:
        raise WrongState("%(issue)s has no time: each new subscriber gets it on their own day.", issue=issue)
