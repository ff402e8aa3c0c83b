"""Remind staff of an issue that is due soon and that nobody has approved. Nothing is approved or sent here."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from newsletter.common.errors import BadRule, DomainError
from newsletter.common.messages import Message
from newsletter.issues.approval.approval_rules import is_sent_automatically
from newsletter.issues.approval.decision_links import make_decision_url
from newsletter.issues.approval.publication_switches import make_switched_off_filter
from newsletter.issues.approval.reopen_uncovered import make_not_sent_key_prefix
from newsletter.issues.approval.request_approval import list_whose_approval_is_missing
from newsletter.issues.approval.write_notices import write_notice
from newsletter.issues.snapshot.resolve import hash_approved_content, resolve_content
from newsletter.issues.variants.reader_zones import find_start, make_due_filter
from newsletter.models import Issue, StaffNotice

REMIND_AHEAD = timedelta(hours=2)
MIN_AGE = timedelta(hours=1)
"""Staff were just notified of a younger issue."""


def remind_approvers(*, now: datetime) -> None:
    """Queue one reminder for each issue and time, from two hours before the time until the issue would be held for lateness."""
    for issue in _find_waiting(now):
        try:
            start = find_start(issue, now=now)
            if issue.due_at is None or start is None or start > now + REMIND_AHEAD:
                continue
            key = f"remind-{issue.pk}-{issue.due_at:%Y%m%d%H%M}"
            if _is_notified(issue, key=key, start=start):
                continue
            if issue.state == Issue.State.DRAFT and is_sent_automatically(issue):
                continue
            _remind(issue, due_at=issue.due_at, start=start, key=key, now=now)
        except DomainError:
            continue  # the issue's checks report the error


def _find_waiting(now: datetime) -> QuerySet[Issue]:
    waiting = Issue.objects.filter(
        make_due_filter(now + REMIND_AHEAD),
        state__in=Issue.UNAPPROVED_STATES,
        held=False,
        due_at__gt=now - Issue.GRACE_PERIOD,
        made_at__lte=now - MIN_AGE,
    )
    return waiting.exclude(make_switched_off_filter()).select_related("publication", "slot").order_by("due_at", "pk")


def _is_notified(issue: Issue, *, key: str, start: datetime) -> bool:
    """Return True if staff have the reminder, or were notified at its time that the issue was not sent."""
    not_sent = Q(key__startswith=make_not_sent_key_prefix(issue), made_at__gte=start)
    return StaffNotice.objects.filter(Q(key=key) | not_sent).exists()


def _remind(issue: Issue, *, due_at: datetime, start: datetime, key: str, now: datetime) -> None:
    sha256 = hash_approved_content(resolve_content(issue))
    zone = ZoneInfo(issue.publication.zone)
    local, held = start.astimezone(zone), (due_at + Issue.GRACE_PERIOD).astimezone(zone)
    paragraphs = [
        Message(
            "Its time is %(day)s at %(time)s (%(zone)s). Without approval nothing is sent.",
            day=local.date(),
            time=f"{local:%H:%M}",
            zone=issue.publication.zone,
        )
    ]
    if issue.released_at is None:
        paragraphs.append(
            Message(
                "If it is approved later, it is sent at once. If nobody approves it by %(day)s at %(time)s, it is put on hold.",
                day=held.date(),
                time=f"{held:%H:%M}",
            )
        )
    write_notice(
        issue.publication,
        key,
        Message("%(issue)s still waits for approval", issue=issue),
        paragraphs,
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
