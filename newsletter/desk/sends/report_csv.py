"""Reports as CSV files for spreadsheets, with formulas made harmless."""

import csv
import io
from collections.abc import Iterable, Sequence

from django.http import HttpResponse
from django.utils.translation import gettext as _

from newsletter.common.text import escape_csv_cell
from newsletter.desk.sends.report_text import name_counters
from newsletter.feedback.report import Figures, Report

_COUNTED = ["candidates", "recipients", "accepted", "rejected", "skipped", "uncertain"]
_COUNTED += ["delivered", "bounced", "complained", "unsubscribed", "unsent", "clicks", "clicks_of_machines"]
_COLUMNS = ["issue", "subject", "sent_at", *_COUNTED]

CsvRow = Sequence[str | int]


def report_csv_response(report: Report) -> HttpResponse:
    """Return one issue's figures, its links, gifts and variants, and who counted each, as five tables in one file."""
    issue = report.figures.issue
    rows: list[CsvRow] = [_COLUMNS, _issue_row(report.figures), [], ["link", "words", "clicks", "clicks_of_machines"]]
    rows += [[link.url, link.words, link.people, link.machines] for link in report.links]
    rows += [[], ["block", "currency", "raised", "gifts"]]
    rows += [[total.block, total.currency, f"{total.amount:.2f}", total.gifts] for total in report.gifts]
    rows += [[], ["variant", "people"]]
    rows += [[variant.label, variant.people] for variant in report.variants]
    rows += [[], ["figure", "counted_by"], *map(list, name_counters(report.figures).items())]
    rows += [["gifts", _("your donation system")], ["people of a variant", _("us")]]
    return _csv_response(rows, name=f"{issue.publication.slug}-{issue.number}")


def issues_csv_response(figures: Iterable[Figures], *, name: str) -> HttpResponse:
    """Return one row per issue, with who counted each figure in its last columns."""
    counted_by = [f"{column}_counted_by" for column in _COUNTED]
    rows = [[*_issue_row(figure), *(name_counters(figure)[column] for column in _COUNTED)] for figure in figures]
    return _csv_response([[*_COLUMNS, *counted_by], *rows], name=name)


def _issue_row(figures: Figures) -> list[str | int]:
    receipt, issue = figures.receipt, figures.issue
    states = [receipt.deliveries.get(state, 0) for state in ("accepted", "rejected", "skipped", "uncertain")]
    reports = [receipt.delivered, receipt.bounced, receipt.complained, receipt.unsubscribed, receipt.unsent]
    sent_at = figures.sent_at.isoformat() if figures.sent_at else ""
    audience = [receipt.candidates, receipt.recipients]
    return [
        issue.reference,
        issue.default_subject,
        sent_at,
        *audience,
        *states,
        *reports,
        figures.clicks,
        figures.machines,
    ]


def _csv_response(rows: Iterable[CsvRow], *, name: str) -> HttpResponse:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([[escape_csv_cell(str(cell)) for cell in row] for row in rows])
    response = HttpResponse("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response["Cache-Control"] = "no-store"
    return response
