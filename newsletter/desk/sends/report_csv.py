"""A report, or a publication's issues in a row, as CSV for a spreadsheet. Formulas are made harmless."""

import csv
import io
from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse

from newsletter.common.text import escape_csv_cell
from newsletter.feedback.report import Figures, Report

_COLUMNS = ["issue", "subject", "sent_at", "candidates", "recipients", "accepted", "rejected", "skipped", "uncertain"]
_COLUMNS += ["delivered", "bounced", "complained", "unsubscribed", "clicks", "clicks_of_machines"]


def report_csv_response(report: Report) -> HttpResponse:
    """The issue's figures, its links and its variants, one under the other."""
    issue = report.figures.issue
    lines = [_COLUMNS, _issue_line(report.figures), [], ["link", "words", "clicks", "clicks_of_machines"]]
    lines += [[link.url, link.words, link.people, link.machines] for link in report.links]
    lines += [[], ["variant", "people"], *([variant.label, variant.people] for variant in report.variants)]
    return _csv_response(lines, name=f"{issue.publication.slug}-{issue.number}")


def issues_csv_response(figures: Iterable[Figures], *, name: str) -> HttpResponse:
    """One line an issue."""
    return _csv_response([_COLUMNS, *(_issue_line(one) for one in figures)], name=name)


def _issue_line(figures: Figures) -> list[Any]:
    receipt, issue = figures.receipt, figures.issue
    states = [receipt.deliveries.get(state, 0) for state in ("accepted", "rejected", "skipped", "uncertain")]
    facts = [receipt.delivered, receipt.bounced, receipt.complained, receipt.unsubscribed]
    sent_at = figures.sent_at.isoformat() if figures.sent_at else ""
    audience = [receipt.candidates, receipt.recipients]
    return [issue.reference, issue.subject, sent_at, *audience, *states, *facts, figures.clicks, figures.machines]


def _csv_response(lines: Iterable[list[Any]], *, name: str) -> HttpResponse:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([[escape_csv_cell(str(cell)) for cell in line] for line in lines])
    response = HttpResponse("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response["Cache-Control"] = "no-store"
    return response
