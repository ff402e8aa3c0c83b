"""newsletter assemble: assemble the issue of a publication's slot."""

from argparse import ArgumentParser
from datetime import UTC, datetime

from newsletter.issues.assembly.assemble import assemble_slot, log_assembled, make_unsaved_issue
from newsletter.issues.assembly.lookup import find_publication
from newsletter.issues.assembly.slots import get_or_create_slot, is_scheduled
from newsletter.issues.assembly.stories_at_source import check_before_assembly
from newsletter.management.base import ProductCommand
from newsletter.models import Slot


class Command(ProductCommand):
    help = "Assemble the issue of a publication's next slot, or of the slot that is named."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", metavar="PUBLICATION", help="Its slug.")
        parser.add_argument("--due", default="", metavar="ISO", help="The slot, as wall-clock time: 2026-11-26T09:00.")
        parser.add_argument("--digest", action="store_true", help="The month's digest, for readers who chose it.")
        parser.add_argument("--json", action="store_true")

    def run(self, *, slug: str, due: str, digest: bool, json: bool) -> None:
        now = datetime.now(UTC)
        publication = find_publication(slug)
        kind = Slot.Kind.DIGEST if digest else Slot.Kind.ISSUE
        slot = get_or_create_slot(publication=publication, due=due, now=now, kind=kind)
        if slot.state != Slot.State.MISSED:
            check_before_assembly(issue=make_unsaved_issue(slot), now=now)
        assembly = assemble_slot(slot=slot, now=now)
        slot, issue = assembly.slot, assembly.issue
        if issue and assembly.made:
            log_assembled(issue)
        if json:
            self.write_json(
                {
                    "publication": publication.slug,
                    "slot": slot.due_local,
                    "state": slot.state,
                    "reason": slot.reason,
                    "made": assembly.made,
                    "scheduled": is_scheduled(slot),
                    "issue": {"id": issue.pk, "number": issue.number} if issue else None,
                }
            )
            return
        if not is_scheduled(slot):
            self.stdout.write(f"{slot.due_local} is not a moment of the schedule; it is an extra slot.")
        if issue is None:
            self.stdout.write(f"{publication}, slot {slot.due_local}: {slot.state}. {slot.reason}")
            return
        self.stdout.write(
            f"{issue} for {slot.due_local}: “{issue.subject}”" + ("" if assembly.made else " (it was there already)")
        )
        for reason in issue.reasons:
            self.stdout.write(
                f"  {'in ' if reason['chosen'] else 'out'} {reason['kind']}: {reason['title']}: {reason['why']}"
            )
