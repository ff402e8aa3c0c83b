"""Tells staff by mail what the watch over the sends found, each thing once."""

from datetime import datetime

from newsletter.feedback.watch import watch_sends
from newsletter.jobs.staff_notices import page_of, write_notice


def warn_staff(*, now: datetime) -> None:
    for warning in watch_sends(now=now):
        issue = warning.issue
        write_notice(issue.publication, warning.key, warning.subject, warning.words, page_of(issue), now)
