"""Home's tasks about Google's figures: mail of a domain is reported as spam, or the figures cannot be read. Reads only."""

from datetime import datetime, timedelta

from django.contrib.auth.models import AnonymousUser, User
from django.urls import reverse
from django.utils.translation import gettext as _

from newsletter.common.translation import translate
from newsletter.desk.home.task_item import Task
from newsletter.desk.sends.gmail_figures import describe_failure
from newsletter.desk.setup.steps import can_set_up
from newsletter.google_postmaster.figures import FigureFailure
from newsletter.models import PostmasterReading, Publication
from newsletter.sending.deliverability.gmail_figures.access import get_access
from newsletter.sending.deliverability.gmail_figures.signing import SignedSender, list_asked_senders
from newsletter.sending.deliverability.gmail_figures.spam_rate_level import (
    Level,
    describe_rate,
    find_worst_rate,
    judge_rate,
)

STEP = "newsletter_setup_domain"
PATIENCE = timedelta(days=3)
_PASSING = (
    FigureFailure.NO_ANSWER,
    FigureFailure.SERVER_ERROR,
    FigureFailure.QUOTA,
    FigureFailure.UNREADABLE,
)
"""Failures that usually end by themselves. They are a task only if there was no answer for three days."""


def find_gmail_tasks(*, now: datetime, person: User | AnonymousUser) -> list[Task]:
    """Return a task for each domain with a high spam rate, and for each whose figures cannot be read."""
    if not can_set_up(person):
        return []
    return [*_find_high_rates(now=now), *_find_failures(now=now)]


def _find_high_rates(*, now: datetime) -> list[Task]:
    tasks: dict[str, Task] = {}
    for publication in Publication.objects.filter(enabled=True).order_by("pk"):
        names = [name for name in (publication.account, publication.second_account) if name]
        worst = find_worst_rate(publication, now=now, accounts=names)
        level = judge_rate(worst.value) if worst else Level.GOOD
        if worst is None or level is Level.GOOD:
            continue
        is_too_high = level is Level.TOO_HIGH
        tasks[worst.domain] = Task(
            title=_("People at Gmail report mail of %(domain)s as spam") % {"domain": worst.domain},
            detail=translate(describe_rate(worst)),
            url=f"{reverse(STEP)}#nl-gmail",
            button=_("View"),
            tone="urgent" if is_too_high else "waits",
        )
    return list(tasks.values())


def _find_failures(*, now: datetime) -> list[Task]:
    if get_access() is None:
        return []
    senders = list_asked_senders()
    failing = PostmasterReading.objects.exclude(failure="").order_by("signing", "sender")
    return [
        Task(
            title=_("Google’s figures of %(domain)s cannot be read") % {"domain": row.signing},
            detail=describe_failure(row),
            url=f"{reverse(STEP)}#nl-gmail",
            button=_("View"),
        )
        for row in failing
        if SignedSender(row.sender, row.signing) in senders
        and (row.failure not in _PASSING or (row.read_at is not None and row.read_at < now - PATIENCE))
    ]
