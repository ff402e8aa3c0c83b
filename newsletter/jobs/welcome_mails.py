"""The job that runs the welcomes: it enters new subscribers, stops those who unsubscribed, and sends the mails that are due."""

import logging
from datetime import datetime

from newsletter.common.errors import AudienceChanged, DomainError, NotApproved, SwitchedOff
from newsletter.issues.approval.write_notices import notify_changed_after_approval
from newsletter.issues.welcome.joined_people import (
    enter_new_people,
    find_welcome_mails,
    stop_for_people,
    stop_late_steps,
)
from newsletter.jobs.scheduler_jobs import hold_and_notify, void_stale_approvals
from newsletter.models import Issue
from newsletter.sending.freezing.add_new_subscribers import add_new_subscribers
from newsletter.sending.settling.welcome_results import settle_welcome_steps

log = logging.getLogger(__name__)


def send_due_welcomes(*, now: datetime) -> None:
    """Run every step once. An error in one welcome mail pauses it and notifies staff; it does not stop the others."""
    mails = list(find_welcome_mails())
    settle_welcome_steps(now=now)
    for issue in mails:
        enter_new_people(issue=issue, now=now)
    stop_for_people(now=now)
    for issue in mails:
        stop_late_steps(issue=issue, now=now)
        if issue.state == Issue.State.APPROVED and not issue.held:
            _send(issue, now=now)


def _send(issue: Issue, *, now: datetime) -> None:
    try:
        send = add_new_subscribers(issue=issue, now=now)
        if send is not None:
            log.info("New people get %s. Recipients this month: %s.", issue, send.recipients)
    except SwitchedOff as error:
        log.info("%s", error)
    except AudienceChanged as error:
        log.warning("%s", error)
        notify_changed_after_approval(issue, explanation=error.message, now=now)
    except NotApproved as error:
        log.warning("%s", error)
        void_stale_approvals(now=now)
    except DomainError as error:
        hold_and_notify(issue, error.message, now=now)
