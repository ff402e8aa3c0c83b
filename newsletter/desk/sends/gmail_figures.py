"""Google's figures of the domains that sign our mail, as the desk shows them, or why they are missing. Reads only."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypedDict

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.common.translation import format_percent, translate
from newsletter.google_postmaster.figures import FigureFailure
from newsletter.models import PostmasterFigure, PostmasterReading, PostmasterRequirement, Send
from newsletter.sending.deliverability.gmail_figures.access import get_access
from newsletter.sending.deliverability.gmail_figures.advice import WHAT_TO_DO
from newsletter.sending.deliverability.gmail_figures.signing import SignedSender, find_signed_sender
from newsletter.sending.deliverability.gmail_figures.spam_rate_level import Level, judge_rate
from subscribers.desk.listing import format_moment

LATE_DAYS = 5
"""Google's figures arrive up to this number of days late. A day without one is then no longer expected."""
DAYS_AFTER_SEND, MAX_DAYS_SHOWN = 2, 14
REQUIREMENTS: dict[str, str | Promise] = {
    "SPF": "SPF",
    "DKIM": "DKIM",
    "SPF_AND_DKIM": gettext_lazy("SPF and DKIM"),
    "DMARC_POLICY": gettext_lazy("DMARC policy"),
    "DMARC_ALIGNMENT": gettext_lazy("DMARC alignment"),
    "MESSAGE_FORMATTING": gettext_lazy("Form of the mails"),
    "DNS_RECORDS": gettext_lazy("Forward and reverse DNS"),
    "ENCRYPTION": gettext_lazy("Encrypted connections"),
    "USER_REPORTED_SPAM_RATE": gettext_lazy("Share reported as spam"),
    "ONE_CLICK_UNSUBSCRIBE": gettext_lazy("Unsubscribing in one click"),
    "HONOR_UNSUBSCRIBE": gettext_lazy("Unsubscribed people get no more mail"),
}
"""Google's names of its requirements. One that is not listed is shown as Google writes it."""


@dataclass(frozen=True)
class GmailDay:
    """The spam rate of one day, "" with a note without one. ``tag`` says that it is high, or ""."""

    day: date
    rate: str
    note: str
    tag: str


class GmailContext(TypedDict):
    """The context of desk/parts/gmail_figures.html."""

    gmail_domain: str
    gmail_days: list[GmailDay]
    gmail_read_at: str
    gmail_failure: str
    gmail_unmet: list[str]
    gmail_met: int


def list_send_figures(send: Send, *, now: datetime) -> list[GmailContext]:
    """Return the figures of the days on which people got a send, of each domain that signed it."""
    today = now.astimezone(UTC).date()
    first = (send.started_at or now).astimezone(UTC).date()
    last = min((send.ended_at or now).astimezone(UTC).date() + timedelta(days=DAYS_AFTER_SEND), today)
    days = [first + timedelta(days=number) for number in range(min((last - first).days + 1, MAX_DAYS_SHOWN))]
    publication = send.issue.publication
    accounts = set(send.batches.order_by().values_list("account", flat=True).distinct()) or {publication.account}
    signed = {find_signed_sender(publication.from_email, account=name) for name in accounts}
    return list_figures(sorted(item for item in signed if item is not None), days, now=now)


def list_figures(signed: Iterable[SignedSender], days: Sequence[date], *, now: datetime) -> list[GmailContext]:
    """Return the figures of these days, once for each domain at Google. Nothing, if Google was never asked."""
    by_domain: dict[str, GmailContext] = {}
    for sender in signed:
        reading = PostmasterReading.objects.filter(sender=sender.sender, signing=sender.signing).first()
        if reading is not None:
            by_domain.setdefault(reading.domain or reading.signing, _describe_reading(reading, days, now=now))
    return list(by_domain.values())


def _describe_reading(reading: PostmasterReading, days: Sequence[date], *, now: datetime) -> GmailContext:
    domain = reading.domain
    figures = PostmasterFigure.objects.filter(domain=domain, day__in=days, figure=PostmasterFigure.Figure.SPAM_RATE)
    rates = dict(figures.values_list("day", "value"))
    # Older verdicts are left out: the last request for them failed.
    requirements = PostmasterRequirement.objects.none()
    if reading.read_at:
        requirements = PostmasterRequirement.objects.filter(domain=domain, fetched_at__gte=reading.read_at).order_by(
            "name"
        )
    return {
        "gmail_domain": domain or reading.signing,
        "gmail_days": [_describe_day(day, rates.get(day), now=now) for day in days] if domain else [],
        "gmail_read_at": format_moment(reading.read_at, now=now),
        "gmail_failure": describe_failure(reading),
        "gmail_unmet": [
            str(REQUIREMENTS.get(requirement.name, requirement.name))
            for requirement in requirements
            if not requirement.is_met
        ],
        "gmail_met": sum(requirement.is_met for requirement in requirements),
    }


def describe_failure(reading: PostmasterReading) -> str:
    """Return why the last question had no answer and what to do, "" if it had one."""
    if get_access() is None:
        return _("Google is no longer asked: the settings name no key.")
    if not reading.failure:
        return ""
    advice = translate(WHAT_TO_DO[FigureFailure(reading.failure)])
    return f"{reading.get_failure_display()}. {advice}"


def _describe_day(day: date, rate: float | None, *, now: datetime) -> GmailDay:
    if rate is None:
        expected = day > now.astimezone(UTC).date() - timedelta(days=LATE_DAYS)
        note = _("No figures for that day yet") if expected else _("Google gives no figure: too few people got mail")
        return GmailDay(day, "", note, "")
    tags = {Level.GOOD: "", Level.WARNING: _("high"), Level.TOO_HIGH: _("too high")}
    return GmailDay(day, format_percent(100 * rate), "", tags[judge_rate(rate)])
