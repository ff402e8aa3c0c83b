"""newsletter doctor: check the installation, and say what to do."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import CommandError
from rich.text import Text

from newsletter.management.base import ProductCommand
from newsletter.organisation.health.examine import examine
from newsletter.organisation.health.finding import Finding

_STYLES = {"ok": "green", "warning": "yellow", "error": "bold red"}


class Command(ProductCommand):
    help = "Check settings, database, provider, DNS, templates and what is set up; say what to do."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true")

    def run(self, **options: Any) -> None:
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


def _line(finding: Finding) -> Text:
    line = Text.assemble((f"{finding.level:<8}", _STYLES[finding.level]), (finding.check, "bold"), f": {finding.says}")
    if finding.do:
        line.append(f"\n        → {finding.do}")
    return line
