"""newsletter status: show slots, issues, and the delivery summary of a send.

A summary imports the providers and the content of issues itself, so that the command starts sooner without one.
"""

from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path

from django.core.management import CommandError
from rich.console import Console

from newsletter.common.commands.base import ProductCommand, make_table
from newsletter.common.commands.private_output import open_private
from newsletter.common.errors import BadFile, NotFound
from newsletter.issues.assembly.lookup import find_issue
from newsletter.issues.assembly.overview import list_issues, list_publications, list_slots
from newsletter.models import Issue, Publication

_WHOLE = ("slug", "next", "publication", "slot", "state", "issue")


class Command(ProductCommand):
    help = "Show publications, slots and issues, or the delivery summary of one issue."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("issue", nargs="?", metavar="ISSUE", help="The issue: an id, SLUG/NUMBER or SLUG/latest.")
        parser.add_argument("--json", action="store_true")
        parser.add_argument("--csv", metavar="FILE", help="Write the result for every recipient to a CSV file.")

    def run(self, *, issue: str | None, json: bool, csv: str | None) -> None:
        if csv:
            self._write_csv(issue, Path(csv))
            return
        if issue:
            self._show_issue(find_issue(issue), json=json)
            return
        overview = _overview(now=datetime.now(UTC))
        if json:
            self.write_json(overview)
        else:
            _print(overview, console=self.console())

    def _show_issue(self, issue: Issue, *, json: bool) -> None:
        from newsletter.desk.sends.progress import find_live_send, measure_progress
        from newsletter.feedback.comparing.compare_counts import describe_comparisons
        from newsletter.management.receipt_table import list_moves, print_receipt
        from newsletter.sending.canaries.canary_decision import describe_canaries
        from newsletter.sending.settling.issue_status import status_of

        status, moves = status_of(issue), list_moves(issue)
        if json:
            more = {"compared": describe_comparisons(issue), "canary": describe_canaries(issue), "moves": moves}
            self.write_json({**status, "held_reason": issue.held_reason, **more})
        else:
            print_receipt(status, moves=moves, held_reason=issue.held_reason, console=self.console())
            send = find_live_send(issue)
            if send and (pace := measure_progress(send, now=datetime.now(UTC)).pace):
                self.stdout.write(pace)

    def _write_csv(self, name: str | None, path: Path) -> None:
        from newsletter.management.receipt_table import write_receipt_csv

        if not name:
            raise CommandError("--csv needs an ISSUE: newsletter status weekly/latest --csv receipt.csv")
        issue = find_issue(name)
        send = issue.sends.exclude(recipients=0).first()
        if send is None:
            raise NotFound(f"{issue} has not been sent yet, so there is no delivery summary.")
        try:
            with open_private(path) as out:
                lines = write_receipt_csv(send, out=out)
        except OSError as error:
            raise BadFile(f"{path} cannot be written: {error.strerror}. Choose another --csv.") from error
        self.stdout.write(f"{'1 person' if lines == 1 else f'{lines:,} people'} written to {path}")


def _overview(*, now: datetime) -> dict[str, list[dict[str, object]]]:
    return {
        "publications": list_publications(Publication.objects.all(), now=now),
        "slots": list_slots(),
        "issues": list_issues(now=now),
    }


def _print(overview: dict[str, list[dict[str, object]]], *, console: Console) -> None:
    for title, columns in (
        ("publications", ("slug", "name", "schedule", "next")),
        ("slots", ("publication", "slot", "state", "reason")),
        ("issues", ("issue", "state", "subject", "reason")),
    ):
        table = make_table(*columns, title=title, whole=_WHOLE)
        for row in overview[title]:
            table.add_row(*(str(row[column]) for column in columns))
        console.print(table if overview[title] else f"{title}: none yet")
