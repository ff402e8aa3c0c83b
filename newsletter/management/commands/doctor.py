"""newsletter doctor: check the installation, and say what to do."""

import sys
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.core.management import CommandError
from rich.text import Text

from newsletter.backups.scratch_schema import check_remains
from newsletter.common.commands.base import ProductCommand
from newsletter.management.finding_lines import describe_finding
from newsletter.monitoring.process_figures import check_processes
from newsletter.organisation.health.origin import SettingValue
from newsletter.organisation.health.run_checks import LEFT_OUT_IF_QUICK, examine
from newsletter.sending.deliverability.domain_checks.lookup import find_txt_records
from newsletter.sending.deliverability.findings import Finding
from newsletter.sending.deliverability.message_check import MAX_BYTES, check_received_message
from newsletter.sending.settling.mark_uncertain_after_restore import mark_open_batches_uncertain, release_after_restore
from subscribers.unsubscribing.join_journals import JoinedJournal, join_journal


class Command(ProductCommand):
    help = "Check the installation and print what to fix."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true")
        parser.add_argument(
            "--quick",
            action="store_true",
            help="Ask no other server but the database, and render no mail.",
        )
        parser.add_argument(
            "--after-restore",
            action="store_true",
            help="Hold all sending, and print what may have been sent since the backup.",
        )
        parser.add_argument(
            "--message",
            metavar="FILE",
            help="Check the raw source of one received message (FILE, or - for standard input) instead of the installation.",
        )
        parser.add_argument(
            "--receiver",
            metavar="ID",
            default="",
            help="With --message: the server that received it, as in its Authentication-Results line (mx.google.com).",
        )
        parser.add_argument("--release", action="store_true", help="With --after-restore: end the hold.")
        parser.add_argument(
            "--journal",
            metavar="FILE",
            type=Path,
            action="append",
            default=[],
            dest="journals",
            help="With --after-restore: first add what the left.journal of another machine says to this machine's. Can be "
            "given several times.",
        )

    def run(
        self,
        *,
        json: bool,
        quick: bool,
        after_restore: bool,
        message: str | None,
        receiver: str,
        release: bool,
        journals: Sequence[Path],
    ) -> None:
        if quick and (after_restore or message):
            raise CommandError(
                "--quick checks the installation, so it cannot be given with --after-restore or --message. Leave one of them out."
            )
        if after_restore:
            self._after_restore(release=release, as_json=json, joined=_join_journals(journals))
            return
        if release:
            raise CommandError("--release needs --after-restore: it ends the hold after a restore.")
        if journals:
            raise CommandError("--journal needs --after-restore: it names the journal of another machine to replay.")
        if receiver and not message:
            raise CommandError("--receiver needs --message: it names the server that received the message.")
        if message:
            findings = _check_message(message, receiver=receiver)
            self._report(findings, setting_values=(), as_json=json)
        else:
            findings = [*examine(quick=quick), *check_remains(), *check_processes(now=datetime.now(UTC))]
            left_out = LEFT_OUT_IF_QUICK if quick else ()
            self._report(findings, setting_values=settings.ENV.describe(), as_json=json, left_out=left_out)

    def _report(
        self,
        findings: list[Finding],
        *,
        setting_values: Sequence[SettingValue],
        as_json: bool,
        left_out: Sequence[str] = (),
    ) -> None:
        failed = [finding.check for finding in findings if finding.level == "error"]
        warnings = sum(finding.level == "warning" for finding in findings)
        if as_json:
            checks = [finding.to_row() for finding in findings]
            summary = {"ok": not failed, "errors": len(failed), "warnings": warnings, "checks": checks}
            listed = [{**vars(setting), "origin": str(setting.origin)} for setting in setting_values]
            self.write_json({**summary, "settings": listed, "left_out": list(left_out)} if setting_values else summary)
        else:
            console = self.console(soft_wrap=True)
            for setting in setting_values:
                console.print(_setting_line(setting))
            if setting_values:
                console.print()
            for finding in findings:
                console.print(describe_finding(finding))
            advice = sum(finding.level == "advice" for finding in findings)
            passed = len(findings) - len(failed) - warnings - advice
            counts = [_count(passed, "check passed", "checks passed"), _count(warnings, "warning", "warnings")]
            if advice:
                counts.insert(1, _count(advice, "piece of advice", "pieces of advice"))
            console.print(f"\n{', '.join(counts)}, {_count(len(failed), 'error', 'errors')}.")
            if left_out:
                console.print(f"Not checked: {', '.join(left_out)}. `newsletter doctor` checks them.")
        if failed:
            todo = "Follow the advice above, then run `newsletter doctor` again."
            raise CommandError(f"{_count(len(failed), 'check', 'checks')} failed: {', '.join(failed)}. {todo}")

    def _after_restore(self, *, release: bool, as_json: bool, joined: Mapping[Path, JoinedJournal]) -> None:
        now = datetime.now(UTC)
        if release:
            release_after_restore(now=now)
            self.stdout.write(
                "Sending is allowed again. Uncertain recipients stay uncertain until staff resolve them in the desk."
            )
            return
        restored = mark_open_batches_uncertain(now=now)
        if as_json:
            journals = {str(file): asdict(journal) for file, journal in joined.items()}
            self.write_json({"held": True, **asdict(restored), "journals": journals})
            return
        resolve = (
            "Resolve the uncertain recipients with the help of your provider's log. Then run"
            if restored.people
            else "Run"
        )
        self.write_lines(
            [
                "All sending is on hold. Nothing is sent until you release it.",
                f"Uncertain: {_count(restored.batches, 'batch', 'batches')} with {_count(restored.people, 'person', 'people')} "
                "may have been sent since the backup.",
                "On hold: " + (", ".join(restored.issues) or "no issue"),
                "May have been made and sent since the backup, and is not made again: "
                + (", ".join(restored.slots) or "no other issue"),
                "May have been sent too, and is not sent again: "
                f"{_count(restored.single_mails, 'single mail', 'single mails')}, "
                f"{_count(restored.welcome_mails, 'welcome mail', 'welcome mails')}",
                *_describe_off(restored.publications_off),
                "Restored from the suppression journal: "
                f"{_count(restored.suppressions_replayed, 'suppression', 'suppressions')} added since the backup.",
                f"Withdrawn again from the journal: {', '.join(restored.stories) or 'no story'}",
                *(_describe_joined(file, journal) for file, journal in joined.items()),
                _DO_AGAIN,
                f"{resolve}: newsletter doctor --after-restore --release",
            ]
        )


_DO_AGAIN = (
    "The backup does not know what was done after it. Do again what staff did since the backup: protected terms, consents, "
    "changed names, texts and images of stories, stories that were deleted or kept out of issues, undone imports, staff accounts "
    "and API keys that were closed."
)


def _join_journals(files: Sequence[Path]) -> dict[Path, JoinedJournal]:
    joined = {}
    for file in files:
        try:
            joined[file] = join_journal(file)
        except OSError as failure:
            raise CommandError(
                f"The suppression journal {failure.filename or file} cannot be read or written: {failure.strerror}. Nothing was "
                "replayed or released. Name a file that this user can read, and make room, then run this again."
            ) from failure
    return joined


def _describe_joined(file: Path, journal: JoinedJournal) -> str:
    """Say how much was read, so that a copy that was cut off is noticed."""
    entries = _count(journal.entries, "entry", "entries")
    return f"Read from {file}: {entries}, {journal.added:,} of which this machine's journal lacked."


def _count(number: int, one: str, several: str) -> str:
    return f"{number:,} {one if number == 1 else several}" if number else f"no {several}"


def _describe_off(publications: list[str]) -> list[str]:
    """Return a line for publications that are off, if there are any: their schedules have no times to name."""
    if not publications:
        return []
    return [
        f"Switched off in the backup: {', '.join(publications)}. If you switched one on since, it may have sent issues. "
        "Look at your provider's log before you switch it on again."
    ]


def _check_message(name: str, *, receiver: str) -> list[Finding]:
    try:
        raw = sys.stdin.buffer.read(MAX_BYTES + 1) if name == "-" else Path(name).read_bytes()
    except OSError as failure:
        raise CommandError(
            f"{name} cannot be read: {failure.strerror}. Give the file that holds the message."
        ) from failure
    return list(check_received_message(raw, find=find_txt_records, receiver=receiver))


def _setting_line(setting: SettingValue) -> Text:
    return Text.assemble(
        (setting.name, "bold"), f" = {setting.value or '(empty)'}", (f"  [{setting.describe_origin()}]", "dim")
    )
