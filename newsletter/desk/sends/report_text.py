"""A report's figures as text: labels, shares, the previous issue's share, and alarms. Reads nothing."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from newsletter.feedback.report import Figures

BOUNCE_ALARM_PERCENT, COMPLAINT_ALARM_PERCENT = 2.0, 0.08


@dataclass(frozen=True)
class ReportRow:
    """One line of a report. ``value`` counts people; ``before`` is the previous issue's share or number."""

    name: str
    value: int
    label: str
    share: str = ""
    before: str = ""
    alarm: bool = False


def format_share(share: float | None) -> str:
    """Return a share in per cent, with two decimals below 1 %."""
    if share is None:
        return ""
    if share == 0:
        return "0 %"
    return f"{share:.2f} %" if share < 1 else f"{share:.1f} %"


def list_report_rows(figures: Figures, before: Figures | None) -> list[ReportRow]:
    """Return the lines of a report, from recipients to unsubscribed."""
    receipt = figures.receipt
    recipients_before = before.receipt.recipients if before else None
    accepted_before = before.accepted if before else None
    rows = [
        ReportRow("recipients", receipt.recipients, _("recipients"), before=_format_number(recipients_before)),
        ReportRow("accepted", figures.accepted, _("accepted by the provider"), before=_format_number(accepted_before)),
    ]
    if figures.has_delivery_reports:
        rows.append(_row("delivered", figures, before, _("delivered, as reported by the provider")))
    rows += [
        _row("bounced", figures, before, _("bounced"), alarm_above=BOUNCE_ALARM_PERCENT),
        _row("complained", figures, before, _("reported as spam"), alarm_above=COMPLAINT_ALARM_PERCENT),
        _row("unsubscribed", figures, before, _("unsubscribed")),
    ]
    uncertain = receipt.deliveries.get("uncertain", 0)
    if uncertain:
        rows.append(ReportRow("uncertain", uncertain, _("uncertain: the provider gave no clear answer")))
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
    name: str, figures: Figures, before: Figures | None, label: str, *, alarm_above: float | None = None
) -> ReportRow:
    value: int = getattr(figures.receipt, name)
    share = figures.share(value)
    share_before = before.share(getattr(before.receipt, name)) if before else None
    return ReportRow(
        name,
        value,
        label,
        share=format_share(share),
        before=format_share(share_before),
        alarm=alarm_above is not None and share is not None and share > alarm_above,
    )


def _format_number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
