"""Google's figures of a sender's domain as the desk shows them: rates, requirements, and why there are none. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypedDict

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.common.translation import format_percent, translate
from newsletter.models import PostmasterFigure, PostmasterReading, PostmasterRequirement, Send
from newsletter.postmaster.figures import FigureFailure
from newsletter.sending.deliverability.domains import domain_of
from newsletter.sending.deliverability.postmaster.access import get_access
from newsletter.sending.deliverability.postmaster.advice import WHAT_TO_DO
from newsletter.sending.deliverability.postmaster.judge import Level, judge_rate
from subscribers.desk.listing import format_moment

LATE_DAYS = 5
"""Google's figures come up to so many days late. A day without one is then no longer expected."""
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
    """The spam rate of one day, "" with a note if there is none. ``tag`` says that it is high, or ""."""

    day: date
    rate: str
    note: str
    tag: str


class GmailContext(TypedDict):
    """The context of desk/parts/gmail_figures.html. ``gmail_domain`` is "" if there is nothing to say."""

    gmail_domain: str
    gmail_days: list[GmailDay]
    gmail_read_at: str
    gmail_failure: str
    gmail_unmet: list[str]
    gmail_met: int


def gmail_context(send: Send, *, now: datetime) -> GmailContext:
    """Return the figures of the days on which people got a send."""
    today = now.astimezone(UTC).date()
    first = (send.started_at or now).astimezone(UTC).date()
    last = min((send.ended_at or now).astimezone(UTC).date() + timedelta(days=DAYS_AFTER_SEND), today)
    days = [first + timedelta(days=number) for number in range(min((last - first).days + 1, MAX_DAYS_SHOWN))]
    return describe_figures(domain_of(send.issue.publication.from_email), days, now=now)


def describe_figures(sender: str, days: Sequence[date], *, now: datetime) -> GmailContext:
    """Return what is known of a sender's domain on these days. Nothing, if Google was never asked."""
    reading = PostmasterReading.objects.filter(sender=sender).first()
    domain = reading.domain if reading else ""
    figures = PostmasterFigure.objects.filter(domain=domain, day__in=days, figure=PostmasterFigure.Figure.SPAM_RATE)
    rates = dict(figures.values_list("day", "value"))
    # Older verdicts are left out: the last request for them failed.
    requirements = PostmasterRequirement.objects.none()
    if reading and reading.read_at:
        requirements = PostmasterRequirement.objects.filter(domain=domain, fetched_at__gte=reading.read_at).order_by(
            "name"
        )
    return {
        "gmail_domain": (domain or sender) if reading else "",
        "gmail_days": [_describe_day(day, rates.get(day), now=now) for day in days] if domain else [],
        "gmail_read_at": format_moment(reading.read_at, now=now) if reading else "",
        "gmail_failure": describe_failure(reading) if reading else "",
        "gmail_unmet": [str(REQUIREMENTS.get(one.name, one.name)) for one in requirements if not one.is_met],
        "gmail_met": sum(one.is_met for one in requirements),
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
