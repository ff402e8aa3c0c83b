"""A report's numbers in words: shares, what they mean, and how they stand beside the issue before. Reads nothing."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from newsletter.feedback.report import Figures

BOUNCES_WARN, COMPLAINTS_WARN = 2.0, 0.08


@dataclass(frozen=True)
class Row:
    """One line of a report: a number of people or clicks, its share in words, the one before, and whether it alarms."""

    name: str
    value: int
    what: str
    share: str = ""
    before: str = ""
    alarm: bool = False


def say_share(share: float | None) -> str:
    """Per cent with as many digits as tell something."""
    if share is None:
        return ""
    if share == 0:
        return "0 %"
    return f"{share:.2f} %" if share < 1 else f"{share:.1f} %"


def list_rows(figures: Figures, before: Figures | None) -> list[Row]:
    """The lines of a report, from what was handed over to who left."""
    receipt = figures.receipt
    old = before.receipt if before else None
    rows = [
        Row("recipients", receipt.recipients, _("were to get it"), before=_of(old.recipients if old else None)),
        Row(
            "accepted",
            figures.accepted,
            _("had their mail taken by the provider"),
            before=_of(before.accepted if before else None),
        ),
    ]
    if figures.told_delivered:
        rows.append(_row("delivered", figures, before, _("have it in their mailbox, as far as we were told")))
    rows += [
        _row("bounced", figures, before, _("came back"), above=BOUNCES_WARN),
        _row("complained", figures, before, _("were reported as spam"), above=COMPLAINTS_WARN),
        _row("unsubscribed", figures, before, _("left the list from it")),
    ]
    unknown = receipt.deliveries.get("uncertain", 0)
    if unknown:
        rows.append(Row("uncertain", unknown, _("may or may not have been sent: the provider gave no clear answer")))
    return rows


def say_headline(figures: Figures) -> str:
    """The report in one sentence."""
    taken = say_share(100 * figures.accepted / figures.receipt.recipients if figures.receipt.recipients else None)
    return _(
        "%(accepted)s of %(recipients)s people (%(share)s) had their mail taken; %(bounced)s came back, %(left)s left."
    ) % {
        "accepted": f"{figures.accepted:,}",
        "recipients": f"{figures.receipt.recipients:,}",
        "share": taken,
        "bounced": f"{figures.receipt.bounced:,}",
        "left": f"{figures.receipt.unsubscribed:,}",
    }


def _row(name: str, figures: Figures, before: Figures | None, what: str, *, above: float | None = None) -> Row:
    value: int = getattr(figures.receipt, name)
    share = figures.share(value)
    old = before.share(getattr(before.receipt, name)) if before else None
    return Row(
        name,
        value,
        what,
        share=say_share(share),
        before=say_share(old),
        alarm=above is not None and share is not None and share > above,
    )


def _of(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
