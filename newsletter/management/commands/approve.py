"""newsletter approve: record a named person's approval of an issue's current content."""

from argparse import ArgumentParser
from datetime import UTC, datetime

from django.contrib.auth import get_user_model

from newsletter.common.commands.base import ProductCommand
from newsletter.common.errors import NotFound
from newsletter.issues.approval.approval_rules import require_approval_permission
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.assembly.lookup import find_issue
from newsletter.issues.assembly.stories_at_source import require_stories_at_source


class Command(ProductCommand):
    help = "Approve an issue as a member of staff who may."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("reference", metavar="ISSUE", help="The issue: an id, SLUG/NUMBER or SLUG/latest.")
        parser.add_argument("--by", required=True, metavar="EMAIL")
        parser.add_argument("--json", action="store_true")

    def run(self, *, reference: str, by: str, json: bool) -> None:
        issue = find_issue(reference)
        person = get_user_model().objects.filter(username=by.strip().lower(), is_active=True).first()
        if person is None:
            raise NotFound(
                f"Nobody on the staff has the address {by}. Add them: newsletter staff add {by} --role approver"
            )
        now = datetime.now(UTC)
        require_approval_permission(issue, by=person)
        require_stories_at_source(issue=issue, now=now)
        approval = approve_issue(issue=issue, by=person, now=now)
        if json:
            self.write_json(
                {"issue": issue.reference, "sha256": approval.sha256, "by": person.get_username(), "state": issue.state}
            )
            return
        self.stdout.write(f"{issue} is approved by {person.get_username()}: content {approval.sha256[:12]}.")
