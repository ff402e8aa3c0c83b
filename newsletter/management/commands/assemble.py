"""newsletter assemble: assemble the issue of a publication's slot."""

from argparse import ArgumentParser
from datetime import UTC, datetime

from newsletter.common.commands.base import ProductCommand
from newsletter.common.errors import NotReady
from newsletter.issues.assembly.assemble import assemble_slot, log_assembled, make_unsaved_issue
from newsletter.issues.assembly.lookup import find_publication
from newsletter.issues.assembly.slots import get_or_create_slot, is_scheduled
from newsletter.issues.assembly.stories_at_source import check_before_assembly, describe_left_out
from newsletter.issues.planning.create_issue import Beginning, create_issue
from newsletter.models import Issue, Publication, Slot, Story


class Command(ProductCommand):
    help = "Assemble the issue of a publication's next slot, or of the slot that is named."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", metavar="PUBLICATION", help="Its slug.")
        parser.add_argument("--due", default="", metavar="ISO", help="The slot, as wall-clock time: 2026-11-26T09:00.")
        parser.add_argument("--digest", action="store_true", help="The month's digest, for readers who chose it.")
        parser.add_argument(
            "--now",
            dest="on_demand",
            action="store_true",
            help="An issue on demand, apart from the schedule; it waits until somebody sends it.",
        )
        parser.add_argument("--json", action="store_true")

    def run(self, *, slug: str, due: str, digest: bool, on_demand: bool, json: bool) -> None:
        now = datetime.now(UTC)
        publication = find_publication(slug)
        if on_demand:
            if due or digest:
                raise NotReady("--now makes an issue without a slot. Leave out --due and --digest.")
            self._create_on_demand(publication, now=now, json=json)
            return
        kind = Slot.Kind.DIGEST if digest else Slot.Kind.ISSUE
        slot = get_or_create_slot(publication=publication, due=due, now=now, kind=kind)
        is_over = slot.state in (Slot.State.MISSED, Slot.State.UNCERTAIN)
        gone_stories = [] if is_over else check_before_assembly(issue=make_unsaved_issue(slot), now=now)
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
            self.stdout.write(f"{slot.due_local} is outside the schedule, so an extra slot was created.")
        if issue is None:
            self.stdout.write(f"{publication}, slot {slot.due_local}: {slot.state}. {slot.reason}")
            self._write_left_out(gone_stories)
            return
        self.stdout.write(
            f"{issue} for {slot.due_local}: “{issue.subject}”" + ("" if assembly.made else " (it was there already)")
        )
        for reason in issue.reasons:
            self.stdout.write(
                f"  {'in ' if reason['chosen'] else 'out'} {reason['kind']}: {reason['title']}: {reason['why']}"
            )

    def _create_on_demand(self, publication: Publication, *, now: datetime, json: bool) -> None:
        gone_stories = check_before_assembly(issue=Issue(publication=publication), now=now)
        issue = create_issue(publication=publication, beginning=Beginning.RULES, by=None, now=now)
        log_assembled(issue)
        if json:
            made = {"id": issue.pk, "number": issue.number}
            row = {"publication": publication.slug, "slot": None, "state": "assembled", "reason": "", "made": True}
            self.write_json({**row, "scheduled": False, "issue": made})
            return
        self.stdout.write(f"{issue}, on demand: “{issue.subject}”. It is sent when somebody sends it.")
        self._write_left_out(gone_stories)

    def _write_left_out(self, stories: list[Story]) -> None:
        if stories:
            self.stdout.write(str(describe_left_out(stories)))
