"""Tells staff by mail what the watch over the sends found, each thing once."""

from datetime import datetime

from newsletter.feedback.send_warnings import check_recent_sends
from newsletter.jobs.staff_notices import issue_page_url, write_notice


def notify_watch_warnings(*, now: datetime) -> None:
    for warning in check_recent_sends(now=now):
        issue = warning.issue
        write_notice(issue.publication, warning.key, warning.subject, warning.paragraphs, issue_page_url(issue), now)
