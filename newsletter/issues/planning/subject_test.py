"""Add, change or remove an issue's test of several subjects on part of its audience."""

import secrets
from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction

from newsletter.common.errors import NotAllowed, NotReady
from newsletter.issues.approval.edits_of_approved_issues import withdraw_if_changed
from newsletter.issues.planning.change_time import lock_unsent
from newsletter.issues.snapshot.records.content import SubjectChoice
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.issues.variants.reader_zones import find_local_time
from newsletter.issues.variants.recipient_groups import find_groups
from newsletter.issues.variants.subject_test_rules import (
    find_obstacle,
    require_enough_people,
    require_usable_subjects,
)
from newsletter.models import Issue, SubjectTest
from newsletter.models.staff import record_edits

_SEED_BITS = 62


@transaction.atomic
def set_subject_test(
    *,
    issue: Issue,
    subjects: Sequence[SubjectChoice],
    share_percent: int,
    wait_hours: int,
    by: User | AnonymousUser,
    now: datetime,
) -> bool:
    """Test these subjects against the issue's own. Return True if its approvals were withdrawn.

    Who gets which subject stays the same if the test is changed.
    Raises NotAllowed; WrongState if its send has begun; BadSubject; NotReady if the issue cannot have a test, or if too few
    people would get each subject.
    """
    _require_permission(by)
    locked = lock_unsent(issue)
    obstacle = find_obstacle(locked, local_time=find_local_time(locked))
    if obstacle is not None:
        raise NotReady(obstacle)
    require_usable_subjects([SubjectChoice(locked.subject, locked.preheader), *subjects])
    values = {
        "subjects": [{"subject": choice.subject, "preheader": choice.preheader} for choice in subjects],
        "number_of_subjects": 1 + len(subjects),
        "share_percent": share_percent,
        "wait_hours": wait_hours,
    }
    SubjectTest.objects.update_or_create(
        issue=locked, defaults=values, create_defaults={**values, "seed": secrets.randbits(_SEED_BITS)}
    )
    content = resolve_content(locked)
    require_enough_people(content, groups=find_groups(locked, content=content, now=now))
    record_edits([issue], person=by, at=now)
    issue.refresh_from_db()
    return withdraw_if_changed(issue=issue, by=by, now=now)


@transaction.atomic
def remove_subject_test(*, issue: Issue, by: User | AnonymousUser, now: datetime) -> bool:
    """Send the issue with its own subject only. Return True if its approvals were withdrawn. Raises NotAllowed, WrongState."""
    _require_permission(by)
    lock_unsent(issue)
    SubjectTest.objects.filter(issue=issue).delete()
    record_edits([issue], person=by, at=now)
    issue.refresh_from_db()
    return withdraw_if_changed(issue=issue, by=by, now=now)


def _require_permission(by: User | AnonymousUser) -> None:
    if not by.has_perm("newsletter.change_issue"):
        raise NotAllowed("%(by)s may not test subjects. An administrator can give the role “writer”.", by=by)
