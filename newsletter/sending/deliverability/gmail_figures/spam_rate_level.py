"""Judge a publication by Google's spam rate of the domain that signs its mail. An unknown rate is no rate: it decides nothing.

Source of the limits: support.google.com/mail/answer/81126: stay below 0.1 %, never reach 0.3 %.
"""

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from django.db.models import Exists, OuterRef

from newsletter.common.messages import Message
from newsletter.common.translation import format_percent
from newsletter.models import Attempt, Batch, Issue, PostmasterFigure, PostmasterReading, Publication, Send
from newsletter.sending.deliverability.domains import domain_of
from newsletter.sending.deliverability.findings import Finding
from newsletter.sending.deliverability.gmail_figures.signing import (
    SignedSender,
    find_signed_sender,
    list_signing_accounts,
)

MAX_RATE, WARN_RATE = 0.003, 0.001
MIN_DAYS, MAX_DAYS = 7, 35
"""The days that count: back to the last issue, at least a week and at most five."""
JUDGED_KINDS = (Issue.Kind.ISSUE, Issue.Kind.DIGEST)


class Level(StrEnum):
    """The judgement of a spam rate."""

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


def find_worst_rate(
    publication: Publication, *, now: datetime, accounts: Collection[str] = ()
) -> PostmasterFigure | None:
    """Return the highest spam rate of the days since the last issue, or None if Google gives none of these days.

    Judge the domains that ``accounts`` sign with; without any, that of the publication's first account.
    """
    names = accounts or (publication.account,)
    signed = {find_signed_sender(publication.from_email, account=name) for name in names}
    found = [_find_worst_rate(item, now=now) for item in signed if item is not None]
    return max((item for item in found if item is not None), key=lambda item: (item.value, item.day), default=None)


def list_accounts_in_use(send: Send) -> list[str]:
    """Return the accounts that send what is left of a send: after a move, the second one."""
    left = send.batches.filter(state__in=Batch.OPEN_STATES)
    return sorted(set(left.order_by().values_list("account", flat=True).distinct()))


def _find_worst_rate(signed: SignedSender, *, now: datetime) -> PostmasterFigure | None:
    reading = PostmasterReading.objects.filter(sender=signed.sender, signing=signed.signing).first()
    if reading is None or not reading.domain:
        return None
    figures = PostmasterFigure.objects.filter(
        domain=reading.domain, figure=PostmasterFigure.Figure.SPAM_RATE, day__gte=_find_first_day(signed, now=now)
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


def _find_first_day(signed: SignedSender, *, now: datetime) -> date:
    """Return the first day that counts. Google's days may begin some hours after ours, so it is a day earlier."""
    senders = [
        pk for pk, address in Publication.objects.values_list("pk", "from_email") if domain_of(address) == signed.sender
    ]
    sends = Send.objects.filter(issue__publication__in=senders, issue__kind__in=JUDGED_KINDS, recipients__gt=0)
    # A send that is paused before its first mail is not the last issue.
    accounts = list_signing_accounts(signed)
    has_begun = Exists(Attempt.objects.filter(batch__send=OuterRef("pk"), batch__account__in=accounts))
    begun = sends.filter(has_begun, started_at__lte=now)
    last = begun.order_by("-started_at").values_list("started_at", flat=True).first()
    since = min(last or now, now - timedelta(days=MIN_DAYS))
    return (max(since, now - timedelta(days=MAX_DAYS)) - timedelta(days=1)).astimezone(UTC).date()
