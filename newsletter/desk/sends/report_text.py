"""A report's figures as text: labels, shares, usual values, sources, and alarms. Reads nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from babel.numbers import format_currency
from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext as _

from newsletter.common.translation import format_percent
from newsletter.feedback.automatic_pause import MIN_COMPLAINTS
from newsletter.feedback.gifts import GiftTotal
from newsletter.feedback.report import Figures
from newsletter.issues.variants.mail_links import FOOTER

BOUNCE_ALARM_PERCENT, COMPLAINT_ALARM_PERCENT = 2.0, 0.08


@dataclass(frozen=True)
class ReportRow:
    """One line of a report. ``value`` counts people; ``usual`` is the median of the issues before, as a share or a number."""

    name: str
    value: int
    label: str
    counted_by: str
    share: str = ""
    usual: str = ""
    alarm: bool = False


def format_share(share: float | None) -> str:
    """Return a share in percent, or "" if it is unknown."""
    return "" if share is None else format_percent(share)


def label_accepted(figures: Sequence[Figures]) -> str:
    """Return the word for the mails of these issues that the provider accepted, or that were written to files."""
    to_files = {figure.to_files for figure in figures}
    if to_files == {True}:
        return _("Written to files")
    return _("Accepted or written to files") if True in to_files else _("Accepted")


def format_money(total: GiftTotal) -> str:
    """Return an amount in the current language, such as “£1,240.00”."""
    return format_currency(total.amount, total.currency, locale=to_locale(get_language() or "en"))


def label_gift_block(total: GiftTotal) -> str:
    """Return the title of the block that raised it, or a description of a block without a title."""
    if total.title:
        return total.title
    return _("Links at the foot of the mail") if total.block == FOOTER else total.block


def name_counters(figures: Figures) -> dict[str, str]:
    """Return who counted each figure of an issue, by the figure's name. If nobody did, it is 0 and says nothing."""
    ours, nobody = _("us"), _("nobody: the mails were written to files")
    delivered = _("us, from the provider’s reports")
    if not figures.has_delivery_reports:
        delivered = _("nobody: the provider reported no delivery")
    clicks = ours if figures.counts_clicks else _("nobody: no click was counted")
    answers = ours if figures.to_files else _("us, from the provider’s answers")
    reports = _("us, from reports of the provider or by mail")
    if not figures.knows_failures:
        reports = _("nobody: the provider reported nothing")
    return {
        "candidates": ours,
        "recipients": ours,
        "accepted": answers,
        "rejected": answers,
        "skipped": ours,
        "uncertain": answers,
        "delivered": nobody if figures.to_files else delivered,
        "bounced": nobody if figures.to_files else reports,
        "complained": nobody if figures.to_files else reports,
        "unsent": nobody if figures.to_files else reports,
        "unsubscribed": ours if figures.to_files else _("us, also from the provider’s reports"),
        "clicks": clicks,
        "clicks_of_machines": clicks,
    }


def list_report_rows(figures: Figures, earlier: Sequence[Figures]) -> list[ReportRow]:
    """Return the lines of a report, from recipients to clicks. Each number is in one line."""
    receipt, counters = figures.receipt, name_counters(figures)
    rows = [
        ReportRow(
            "recipients",
            receipt.recipients,
            _("Recipients"),
            counters["recipients"],
            usual=_usual_number(earlier, _recipients),
        ),
        ReportRow(
            "accepted",
            figures.accepted,
            label_accepted([figures]),
            counters["accepted"],
            share=format_share(100 * figures.accepted / receipt.recipients if receipt.recipients else None),
            usual=_usual_number(earlier, _accepted),
        ),
    ]
    if figures.has_delivery_reports:
        comparable = [one for one in earlier if one.has_delivery_reports]
        rows.append(_row("delivered", figures, comparable, _("Delivered"), counters["delivered"]))
    if figures.knows_failures:
        comparable = [one for one in earlier if one.knows_failures]
        rows += [
            _row("bounced", figures, comparable, _("Bounced"), counters["bounced"], alarm_above=BOUNCE_ALARM_PERCENT),
            _row(
                "complained",
                figures,
                comparable,
                _("Reported as spam"),
                counters["complained"],
                alarm_above=COMPLAINT_ALARM_PERCENT,
                alarm_from=MIN_COMPLAINTS,
            ),
        ]
    if receipt.unsent:
        label = _("Not sent: on your provider’s own list")
        rows.append(_row("unsent", figures, earlier, label, counters["unsent"]))
    rows.append(_row("unsubscribed", figures, earlier, _("Unsubscribed"), counters["unsubscribed"]))
    if figures.counts_clicks:
        usual = _usual_number(
            [earlier_figures for earlier_figures in earlier if earlier_figures.counts_clicks], _clicks
        )
        rows.append(
            ReportRow("clicks", figures.clicks, _("Clicks by people (estimate)"), counters["clicks"], usual=usual)
        )
    return rows


def _row(
    name: str,
    figures: Figures,
    earlier: Sequence[Figures],
    label: str,
    counted_by: str,
    *,
    alarm_above: float | None = None,
    alarm_from: int = 1,
) -> ReportRow:
    value: int = getattr(figures.receipt, name)
    share = figures.share(value)
    shares = [
        past
        for earlier_figures in earlier
        if (past := earlier_figures.share(getattr(earlier_figures.receipt, name))) is not None
    ]
    return ReportRow(
        name,
        value,
        label,
        counted_by,
        share=format_share(share),
        usual=format_share(median(shares)) if shares else "",
        alarm=alarm_above is not None and share is not None and share > alarm_above and value >= alarm_from,
    )


def _usual_number(earlier: Sequence[Figures], count: Callable[[Figures], int]) -> str:
    return intcomma(round(median(map(count, earlier)))) if earlier else ""


def _recipients(figures: Figures) -> int:
    return figures.receipt.recipients


def _accepted(figures: Figures) -> int:
    return figures.accepted


def _clicks(figures: Figures) -> int:
    return figures.clicks
