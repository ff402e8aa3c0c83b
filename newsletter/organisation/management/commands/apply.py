"""newsletter apply: create or update the rows in the organisation file, and show the changes."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from newsletter.common.commands.base import ProductCommand, make_table, prepare_new_database
from newsletter.organisation.apply_file import apply_organisation
from newsletter.organisation.read_file import list_keys_without_effect, read_organisation
from newsletter.organisation.upsert import Change

_LONGEST = 60


class Command(ProductCommand):
    help = "Create or update lists, topics, segments, the brand, sources, appeals and publications from a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE.toml", type=Path, help="`newsletter init` writes a sample of it.")
        parser.add_argument("--dry-run", action="store_true", help="Show what would change, and change nothing.")
        parser.add_argument("--json", action="store_true")

    def run(self, *, file: Path, dry_run: bool, json: bool) -> None:
        organisation = read_organisation(file)  # first, so that a file that cannot be read creates no database
        prepare_new_database()
        changes = apply_organisation(organisation, folder=file.parent, dry_run=dry_run, now=datetime.now(UTC))
        notes = list_keys_without_effect(organisation)
        if json:
            listed = [change.as_json() for change in changes]
            self.write_json({"dry_run": dry_run, "changes": listed, "notes": notes})
            return
        _print(changes, dry_run=dry_run, console=self.console())
        for note in notes:
            self.stdout.write(f"Note: {note}")


def _print(changes: list[Change], *, dry_run: bool, console: Console) -> None:
    table = make_table("", "what", "name", "changes")
    for change in changes:
        if change.action != "unchanged":
            table.add_row({"created": "+", "updated": "~"}[change.action], change.kind, change.name, _fields(change))
    if table.row_count:
        console.print(table)
    counts = {
        action: sum(change.action == action for change in changes) for action in ("created", "updated", "unchanged")
    }
    summary = ", ".join(f"{count} {action}" for action, count in counts.items())
    console.print(f"{'Nothing is written; it would be' if dry_run else 'Done'}: {summary}.", markup=False)


def _fields(change: Change) -> str:
    if change.action == "created":
        return ", ".join(change.fields)
    return "\n".join(f"{key}: {_short(old)} → {_short(new)}" for key, (old, new) in change.fields.items())


def _short(value: object) -> str:
    text = "nothing" if value in (None, "", [], {}) else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
