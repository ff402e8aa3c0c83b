"""newsletter doctor: check the installation, and say what to do."""

from argparse import ArgumentParser
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from django.core.management import CommandError
from rich.text import Text

from newsletter.management.base import ProductCommand
from newsletter.organisation.health.examine import examine
from newsletter.sending.finding import Finding
from newsletter.sending.restore import doubt_what_was_open, release_after_restore

_STYLES = {"ok": "green", "warning": "yellow", "error": "bold red"}


class Command(ProductCommand):
    help = "Check settings, database, provider, DNS, templates and what is set up; say what to do."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true")
        parser.add_argument(
            "--after-restore",
            action="store_true",
            help="Hold everything, and say what may have been sent since the backup.",
        )
        parser.add_argument("--release", action="store_true", help="With --after-restore: let mail go out again.")

    def run(self, **options: Any) -> None:
        if options["after_restore"]:
            self._after_restore(release=options["release"], as_json=options["json"])
            return
        if options["release"]:
            raise CommandError("--release goes with --after-restore: it lets mail go out again after a restore.")
        findings = list(examine())
        failed = [finding.check for finding in findings if finding.level == "error"]
        warnings = sum(finding.level == "warning" for finding in findings)
        if options["json"]:
            checks = [vars(finding) for finding in findings]
            self.write_json({"ok": not failed, "errors": len(failed), "warnings": warnings, "checks": checks})
        else:
            console = self.console(soft_wrap=True)
            for finding in findings:
                console.print(_line(finding))
            well = len(findings) - len(failed) - warnings
            console.print(f"\n{well} are well, {warnings} warnings, {len(failed)} errors.")
        if failed:
            todo = "Do what is written there, then run `newsletter doctor` again."
            raise CommandError(f"{len(failed)} checks failed: {', '.join(failed)}. {todo}")

    def _after_restore(self, *, release: bool, as_json: bool) -> None:
        now = datetime.now(UTC)
        if release:
            release_after_restore(now=now)
            self.stdout.write("Mail goes out again. What is uncertain stays so until it is settled in the desk.")
            return
        doubt = doubt_what_was_open(now=now)
        if as_json:
            self.write_json({"held": True, **asdict(doubt)})
            return
        self.write_lines(
            [
                "Everything is held: nothing goes out until you say so.",
                f"Uncertain: {doubt.batches} batches with {doubt.people} people that may have been sent since the backup.",
                "Held: " + (", ".join(doubt.issues) or "no issue"),
                f"Played back: {doubt.left} who left or were barred since the backup.",
                "Settle these with what your provider's log says, then run: newsletter doctor --after-restore --release",
            ]
        )


def _line(finding: Finding) -> Text:
    line = Text.assemble((f"{finding.level:<8}", _STYLES[finding.level]), (finding.check, "bold"), f": {finding.says}")
    if finding.do:
        line.append(f"\n        → {finding.do}")
    return line
