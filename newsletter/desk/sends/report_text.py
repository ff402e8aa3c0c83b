"""A report's figures as text: labels, shares, what is usual, who counted, and alarms. Reads nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from django.utils.translation import gettext as _

from newsletter.feedback.report import Figures

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
    """Return a share in per cent, with two decimals below 1 %."""
    if share is None:
        return ""
    if share == 0:
        return "0 %"
    return f"{share:.2f} %" if share < 1 else f"{share:.1f} %"


def list_report_rows(figures: Figures, earlier: Sequence[Figures]) -> list[ReportRow]:
    """Return the lines of a report, from recipients to clicks. Each number is in one line."""
    receipt = figures.receipt
    ours, provider = _("us"), _("the provider")
    rows = [
        ReportRow("recipients", receipt.recipients, _("Recipients"), ours, usual=_usual_number(earlier, _recipients)),
        ReportRow(
            "accepted",
            figures.accepted,
            _("Accepted"),
            _("us, from the provider’s answers"),
            share=format_share(100 * figures.accepted / receipt.recipients if receipt.recipients else None),
            usual=_usual_number(earlier, _accepted),
        ),
    ]
    if figures.has_delivery_reports:
        rows.append(_row("delivered", figures, earlier, _("Delivered"), provider))
    rows += [
        _row("bounced", figures, earlier, _("Bounced"), provider, alarm_above=BOUNCE_ALARM_PERCENT),
        _row("complained", figures, earlier, _("Complaints"), provider, alarm_above=COMPLAINT_ALARM_PERCENT),
        _row("unsubscribed", figures, earlier, _("Unsubscribed"), _("us and the provider")),
    ]
    if figures.clicks or figures.machines:
        usual = _usual_number([one for one in earlier if one.clicks or one.machines], _clicks)
        rows.append(ReportRow("clicks", figures.clicks, _("Clicks by people (estimate)"), ours, usual=usual))
    return rows


def describe_headline(figures: Figures) -> str:
    """Summarise the report in one line."""
    receipt = figures.receipt
    return _(
        "Sent to %(accepted)s of %(recipients)s people (%(share)s). %(bounced)s bounced, %(unsubscribed)s unsubscribed."
    ) % {
        "accepted": f"{figures.accepted:,}",
        "recipients": f"{receipt.recipients:,}",
        "share": format_share(100 * figures.accepted / receipt.recipients if receipt.recipients else None),
        "bounced": f"{receipt.bounced:,}",
        "unsubscribed": f"{receipt.unsubscribed:,}",
    }


def _row(
    name: str,
    figures: Figures,
    earlier: Sequence[Figures],
    label: str,
    counted_by: str,
    *,
    alarm_above: float | None = None,
) -> ReportRow:
    value: int = getattr(figures.receipt, name)
    share = figures.share(value)
    shares = [past for one in earlier if (past := one.share(getattr(one.receipt, name))) is not None]
    return ReportRow(
        name,
        value,
        label,
        counted_by,
        share=format_share(share),
        usual=format_share(median(shares)) if shares else "",
        alarm=alarm_above is not None and share is not None and share > alarm_above,
    )


def _usual_number(earlier: Sequence[Figures], count: Callable[[Figures], int]) -> str:
    return f"{round(median(map(count, earlier))):,}" if earlier else ""


def _recipients(figures: Figures) -> int:
    return figures.receipt.recipients


def _accepted(figures: Figures) -> int:
    return figures.accepted


def _clicks(figures: Figures) -> int:
    return figures.clicks
