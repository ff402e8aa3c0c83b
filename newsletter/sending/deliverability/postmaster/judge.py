"""Judge a publication by Google's spam rate of its sender's domain. An unknown rate is no rate: it decides nothing.

Source of the limits: support.google.com/mail/answer/81126: stay below 0.1 %, never reach 0.3 %.
"""

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from django.db.models import Exists, OuterRef

from newsletter.common.messages import Message
from newsletter.common.translation import format_percent
from newsletter.models import Attempt, Issue, PostmasterFigure, PostmasterReading, Publication, Send
from newsletter.sending.deliverability.domains import domain_of
from newsletter.sending.deliverability.findings import Finding

MAX_RATE, WARN_RATE = 0.003, 0.001
MIN_DAYS, MAX_DAYS = 7, 35
"""The days that count: back to the last issue, at least a week and at most five."""
JUDGED_KINDS = (Issue.Kind.ISSUE, Issue.Kind.DIGEST)


class Level(StrEnum):
    """How a spam rate is judged."""

    GOOD = "good"
    WARNING = "warning"
    TOO_HIGH = "too_high"


def judge_rate(rate: float) -> Level:
    """Return the level of a share from 0 to 1."""
    if rate > MAX_RATE:
        return Level.TOO_HIGH
    return Level.WARNING if rate >= WARN_RATE else Level.GOOD


def may_pause(issue: Issue) -> bool:
    """Return True if a spam rate may pause the issue. Corrections and welcome mails go out: each person waits for them."""
    return issue.publication.gmail_pause and issue.kind in JUDGED_KINDS


def find_figure_domain(publication: Publication) -> str:
    """Return the domain that Google's figures are about, "" if Google answered for none."""
    rows = PostmasterReading.objects.filter(sender=domain_of(publication.from_email))
    return rows.values_list("domain", flat=True).first() or ""


def find_worst_rate(publication: Publication, *, now: datetime) -> PostmasterFigure | None:
    """Return the highest spam rate since the last issue from this domain, or None if Google gives none of these days."""
    domain = find_figure_domain(publication)
    if not domain:
        return None
    figures = PostmasterFigure.objects.filter(
        domain=domain, figure=PostmasterFigure.Figure.SPAM_RATE, day__gte=_find_first_day(publication, now=now)
    )
    return figures.order_by("-value", "-day").first()


def find_rate_problems(issue: Issue, *, now: datetime) -> list[Finding]:
    """Return a warning if the worst rate is 0.1 % or more, else nothing."""
    worst = find_worst_rate(issue.publication, now=now)
    level = judge_rate(worst.value) if worst else Level.GOOD
    if worst is None or level is Level.GOOD:
        return []
    will_pause = level is Level.TOO_HIGH and may_pause(issue)
    means = (
        Message("That is above 0.3 %%, so the send pauses before anybody gets it.")
        if will_pause
        else Message("Gmail wants less than 0.1 %%, and refuses or hides mail above 0.3 %%.")
    )
    return [
        Finding(
            Message("spam reports at Gmail"),
            "warning",
            describe_rate(worst),
            Message(
                "Check who is on the list and how they joined, and leave out people who have been silent for long."
            ),
            means=means,
            code="gmail-spam-rate",
        )
    ]


def describe_rate(figure: PostmasterFigure) -> Message:
    """Return a rate with its domain and day as a sentence."""
    return Message(
        "At Gmail, %(rate)s of the mail of %(domain)s was reported as spam on %(day)s.",
        rate=format_percent(100 * figure.value),
        domain=figure.domain,
        day=figure.day,
    )


def _find_first_day(publication: Publication, *, now: datetime) -> date:
    """Return the first day that counts. Google's days may begin some hours after ours, so it is a day earlier."""
    domain = domain_of(publication.from_email)
    senders = [
        pk for pk, address in Publication.objects.values_list("pk", "from_email") if domain_of(address) == domain
    ]
    sends = Send.objects.filter(issue__publication__in=senders, issue__kind__in=JUDGED_KINDS, recipients__gt=0)
    # A send that is paused before its first mail is not the last issue.
    has_begun = Exists(Attempt.objects.filter(batch__send=OuterRef("pk")))
    begun = sends.filter(has_begun, started_at__lte=now)
    last = begun.order_by("-started_at").values_list("started_at", flat=True).first()
    since = min(last or now, now - timedelta(days=MIN_DAYS))
    return (max(since, now - timedelta(days=MAX_DAYS)) - timedelta(days=1)).astimezone(UTC).date()
