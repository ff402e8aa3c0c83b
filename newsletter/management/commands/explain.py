"""newsletter explain: say whether a person gets an issue, and why they get each of its parts or do not."""

from argparse import ArgumentParser
from dataclasses import asdict
from datetime import UTC, datetime

from newsletter.feedback.explaining.explain_issue import explain_issue
from newsletter.issues.assembly.lookup import find_issue
from newsletter.management.base import ProductCommand
from newsletter.management.explanation_lines import list_explanation_lines
from subscribers.people.lookup import find_person


class Command(ProductCommand):
    help = "Say whether a person gets or got an issue, and why they get each story, event and appeal, or do not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("reference", metavar="ISSUE", help="The issue: an id, SLUG/NUMBER or SLUG/latest.")
        parser.add_argument("--json", action="store_true")

    def run(self, *, email: str, reference: str, json: bool) -> None:
        issue = find_issue(reference)
        explained = explain_issue(issue, person=find_person(email), now=datetime.now(UTC))
        if json:
            reasons = [asdict(reason) for reason in explained.reasons]
            self.write_json(
                {
                    "issue": issue.reference,
                    "outcome": str(explained.outcome),
                    "version": str(explained.version),
                    "language": str(explained.language),
                    "reasons": reasons,
                }
            )
            return
        for line in list_explanation_lines(explained):
            self.stdout.write(line)
