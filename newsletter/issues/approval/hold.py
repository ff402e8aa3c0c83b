"""Hold an issue, so that it is not sent until a person releases it."""

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from newsletter.common.errors import WrongState
from newsletter.models import Issue
from newsletter.outbound.publishing_facts import report_issue
from subscribers.models import EventKind


def hold_issue(*, issue: Issue, reason: str) -> None:
    """Keep an issue from being sent until a person releases it. Raises WrongState if its send has begun."""
    with transaction.atomic():
        held = Issue.objects.filter(pk=issue.pk, state__in=Issue.UNSENT_STATES).update(
            held=True, held_reason=reason, released_at=None
        )
        if held:
            report_issue(EventKind.ISSUE_HELD, issue, now=timezone.now())
    if not held:
        raise WrongState(
            "%(issue)s is %(state)s; it is too late to hold it. Pause its send instead.",
            issue=issue,
            state=issue.get_state_display(),
        )
    issue.held, issue.held_reason = True, reason


def release_issue(*, issue: Issue) -> None:
    """Release a held issue. It may be sent then, even if its slot is over."""
    Issue.objects.filter(pk=issue.pk).update(held=False, held_reason="", released_at=Now())
    issue.held, issue.held_reason = False, ""
