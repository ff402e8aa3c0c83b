"""Remind staff of an issue whose time comes although nobody has approved it. Nothing is approved or sent here."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db.models import QuerySet

from newsletter.common.errors import BadRule
from newsletter.common.messages import Message
from newsletter.issues.approval.approval_rules import is_automatic
from newsletter.issues.approval.decision_links import make_decision_url
from newsletter.issues.approval.publication_switches import make_switched_off_filter
from newsletter.issues.approval.request_approval import list_whose_approval_is_missing
from newsletter.issues.approval.write_notices import write_notice
from newsletter.issues.snapshot.resolve import hash_approved_content, resolve_content
from newsletter.issues.variants.reader_zones import find_start, make_due_filter
from newsletter.models import Issue, StaffNotice

REMIND_AHEAD = timedelta(hours=2)
MIN_AGE = timedelta(hours=1)
"""Staff have just been told of an issue that is younger."""


def remind_approvers(*, now: datetime) -> None:
    """Queue one reminder for each issue and time, from two hours before the time until the issue would be held for lateness."""
    for issue in _find_waiting(now):
        start = find_start(issue, now=now)
        if issue.due_at is None or start is None or start > now + REMIND_AHEAD:
            continue
        key = f"remind-{issue.pk}-{issue.due_at:%Y%m%d%H%M}"
        if (is_automatic(issue) and issue.state == Issue.State.DRAFT) or StaffNotice.objects.filter(key=key).exists():
            continue
        _remind(issue, start=start, key=key, now=now)


def _find_waiting(now: datetime) -> QuerySet[Issue]:
    waiting = Issue.objects.filter(
        make_due_filter(now + REMIND_AHEAD),
        state__in=[Issue.State.DRAFT, Issue.State.IN_REVIEW],
        held=False,
        due_at__gt=now - Issue.GRACE_PERIOD,
        made_at__lte=now - MIN_AGE,
    )
    return waiting.exclude(make_switched_off_filter()).select_related("publication", "slot").order_by("due_at", "pk")


def _remind(issue: Issue, *, start: datetime, key: str, now: datetime) -> None:
    sha256 = hash_approved_content(resolve_content(issue))
    local = start.astimezone(ZoneInfo(issue.publication.zone))
    write_notice(
        issue.publication,
        key,
        Message("%(issue)s still waits for approval", issue=issue),
        [
            Message(
                "Its time is %(day)s at %(time)s (%(zone)s). Without approval nothing is sent.",
                day=local.date(),
                time=f"{local:%H:%M}",
                zone=issue.publication.zone,
            ),
            Message(
                "If it is approved later, it is sent at once. %(hours)s hours after its time it is put on hold instead.",
                hours=Issue.GRACE_PERIOD // timedelta(hours=1),
            ),
        ],
        lambda person: make_decision_url(issue=issue.public_id, sha256=sha256, person=person.pk, now=now),
        now,
        people=_list_people(issue, sha256=sha256) or None,
    )


def _list_people(issue: Issue, *, sha256: str) -> list[User]:
    """Return those whose approval is missing; nobody if recipients cannot be counted, as the issue's checks say."""
    try:
        return list_whose_approval_is_missing(issue, sha256=sha256)
    except BadRule:
        return []
