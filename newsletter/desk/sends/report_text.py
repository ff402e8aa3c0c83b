"""A report's numbers in words: shares, what they mean, and how they stand beside the issue before. Reads nothing."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from newsletter.feedback.report import Figures

BOUNCE_ALARM_PERCENT, COMPLAINT_ALARM_PERCENT = 2.0, 0.08


@dataclass(frozen=True)
class ReportRow:
    """One line of a report: a number of people or clicks, its share in words, the one before, and whether it alarms."""

    name: str
    value: int
    what: str
    share: str = ""
    before: str = ""
    alarm: bool = False


def format_share(share: float | None) -> str:
    """Per cent with as many digits as tell something."""
    if share is None:
        return ""
    if share == 0:
        return "0 %"
    return f"{share:.2f} %" if share < 1 else f"{share:.1f} %"


def list_report_rows(figures: Figures, before: Figures | None) -> list[ReportRow]:
    """The lines of a report, from what was handed over to who left."""
    receipt = figures.receipt
    old = before.receipt if before else None
    rows = [
        ReportRow(
            "recipients",
            receipt.recipients,
            _("were to get it"),
            before=_format_number(old.recipients if old else None),
        ),
        ReportRow(
            "accepted",
            figures.accepted,
            _("had their mail taken by the provider"),
            before=_format_number(before.accepted if before else None),
        ),
    ]
    if figures.has_delivery_reports:
        rows.append(_row("delivered", figures, before, _("have it in their mailbox, as far as we were told")))
    rows += [
        _row("bounced", figures, before, _("came back"), above=BOUNCE_ALARM_PERCENT),
        _row("complained", figures, before, _("were reported as spam"), above=COMPLAINT_ALARM_PERCENT),
        _row("unsubscribed", figures, before, _("left the list from it")),
    ]
    unknown = receipt.deliveries.get("uncertain", 0)
    if unknown:
        rows.append(
            ReportRow("uncertain", unknown, _("may or may not have been sent: the provider gave no clear answer"))
        )
    return rows


def describe_headline(figures: Figures) -> str:
    """The report in one sentence."""
    taken = format_share(100 * figures.accepted / figures.receipt.recipients if figures.receipt.recipients else None)
    return _(
        "%(accepted)s of %(recipients)s people (%(share)s) had their mail taken; %(bounced)s came back, %(left)s left."
    ) % {
        "accepted": f"{figures.accepted:,}",
        "recipients": f"{figures.receipt.recipients:,}",
        "share": taken,
        "bounced": f"{figures.receipt.bounced:,}",
        "left": f"{figures.receipt.unsubscribed:,}",
    }


def _row(name: str, figures: Figures, before: Figures | None, what: str, *, above: float | None = None) -> ReportRow:
    value: int = getattr(figures.receipt, name)
    share = figures.share(value)
    old = before.share(getattr(before.receipt, name)) if before else None
    return ReportRow(
        name,
        value,
        what,
        share=format_share(share),
        before=format_share(old),
        alarm=above is not None and share is not None and share > above,
    )


def _format_number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
