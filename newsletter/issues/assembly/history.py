"""The first line of an issue's history, and of the staff log about it: that it was assembled. Nobody did it."""

from wagtail.log_actions import log

from newsletter.models import Issue


def log_assembled(issue: Issue) -> None:
    log(instance=issue, action="newsletter.assembled")
