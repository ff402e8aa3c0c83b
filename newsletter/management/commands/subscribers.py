"""newsletter subscribers: bring people in from a file, write them out, or show what is held about one."""

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from getpass import getuser
from io import SEEK_SET, BufferedReader, FileIO, RawIOBase
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from newsletter.errors import BadFile
from newsletter.management.base import ProductCommand
from newsletter.organisation.references import find_list
from subscribers.exporter import export_people
from subscribers.importer import ImportReport, import_people
from subscribers.models import Basis
from subscribers.people import describe_person, find_person

BASES = [Basis.CONSENT, Basis.SOFT_OPT_IN, Basis.LEGITIMATE_INTEREST, Basis.CONTRACT]
SHOWN_LINES = 20
_PIECE = 1 << 20


class Command(ProductCommand):
    help = "Import people from a CSV file, export them, or show what is held about one person."
    prepares_database = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="import | export | show")
        bring = actions.add_parser("import", help="Bring people of a CSV file into a list.")
        bring.add_argument(
            "file", metavar="FILE.csv", type=Path, help="A column email, and any of name, country, region …"
        )
        bring.add_argument("--list", required=True, metavar="SLUG")
        bring.add_argument(
            "--basis", required=True, choices=[str(basis) for basis in BASES], help="Why they may be mailed."
        )
        bring.add_argument("--evidence", required=True, metavar="TEXT", help="What proves it; kept with each person.")
        bring.add_argument("--confirm", action="store_true", help="Ask each person by mail first.")
        bring.add_argument("--dry-run", action="store_true", help="Say what would happen, and change nothing.")
        bring.add_argument("--json", action="store_true")
        write = actions.add_parser("export", help="Write those who may be mailed, as CSV.")
        write.add_argument("--list", metavar="SLUG", help="Only the people of this list.")
        write.add_argument("--out", metavar="FILE", type=Path, help="Standard output if not given.")
        show = actions.add_parser("show", help="Show what is held about one person, as JSON.")
        show.add_argument("email", metavar="EMAIL")
        show.add_argument("--json", action="store_true", help="The only form there is.")

    def run(self, **options: Any) -> None:
        {"import": self._import, "export": self._export, "show": self._show}[options["action"]](**options)

    def _import(self, **options: Any) -> None:
        mailing_list = find_list(options["list"], where="--list")
        file: Path = options["file"]
        try:
            with file.open("rb", buffering=0) as lines, follow(count_lines(file)) as progress:
                report = import_people(
                    file=BufferedReader(_Lent(lines), buffer_size=_PIECE),
                    mailing_list=mailing_list,
                    basis=options["basis"],
                    evidence=options["evidence"],
                    by=f"{getuser()} (command line)",
                    now=datetime.now(UTC),
                    dry_run=options["dry_run"],
                    confirm=options["confirm"],
                    progress=progress,
                    file_name=file.name,
                )
        except OSError as error:
            raise BadFile(
                f"{file} cannot be read: {error.strerror}. Check the path and the right to read it."
            ) from error
        if options["json"]:
            self.write_json(_as_json(report, mailing_list=mailing_list.slug, dry_run=options["dry_run"]))
        else:
            self.write_lines(_in_words(report, name=mailing_list.name, dry_run=options["dry_run"]))

    def _export(self, **options: Any) -> None:
        mailing_list = find_list(options["list"], where="--list") if options["list"] else None
        out: Path | None = options["out"]
        if out is None:
            export_people(out=sys.stdout, mailing_list=mailing_list)
            return
        try:
            with out.open("w", encoding="utf-8", newline="") as file:
                out.chmod(0o600)
                people = export_people(out=file, mailing_list=mailing_list)
        except OSError as error:
            raise BadFile(f"{out} cannot be written: {error.strerror}. Choose another --out.") from error
        self.stdout.write(f"{people:,} people are written to {out}. It is personal data: delete it when you are done.")

    def _show(self, **options: Any) -> None:
        self.write_json(describe_person(find_person(options["email"]), now=datetime.now(UTC)))


class _Lent(RawIOBase):
    """A file lent to a reader that may close what it was given; the file itself stays open."""

    def __init__(self, file: FileIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._file.seekable()

    def readinto(self, buffer: Any) -> int | None:
        return self._file.readinto(buffer)

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


@contextmanager
def follow(total: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal's standard error that follows how many of `total` lines are read; nothing elsewhere."""
    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("Importing", total=total)
        yield lambda rows: bar.update(task, completed=rows)
        bar.update(task, completed=total)


def count_lines(file: Path) -> int:
    """How many lines the file has, roughly: a cell may hold line breaks. Raises OSError."""
    with file.open("rb") as data:
        return sum(piece.count(b"\n") for piece in iter(lambda: data.read(_PIECE), b""))


def _as_json(report: ImportReport, *, mailing_list: str, dry_run: bool) -> dict[str, Any]:
    return {
        "list": mailing_list,
        "dry_run": dry_run,
        **report.counts(),
        "refusals": [{"line": line, "reason": reason} for line, reason in report.refused],
        "notes": [{"line": line, "note": note} for line, note in report.notes],
        "encoding": report.encoding,
        "ignored_columns": report.ignored_columns,
        "import": report.batch_id,
    }


def _in_words(report: ImportReport, *, name: str, dry_run: bool) -> Iterator[str]:
    counts = report.counts()
    yield f"{'Nothing is written. ' if dry_run else ''}{report.rows:,} lines for the list “{name}”:"
    for word, meaning in (
        ("new", "new on the list"),
        ("updated", "known, with something new"),
        ("unchanged", "known, nothing new"),
        ("waiting", "have not confirmed yet"),
        ("suppressed", "left out: they asked not to be mailed, or cannot be reached"),
        ("repeated", "further lines of an address"),
        ("refused", "refused"),
    ):
        if counts[word] or word == "new":
            yield f"{counts[word]:>9,}  {meaning}"
    for line, reason in report.refused[:SHOWN_LINES]:
        yield f"  line {line}: {reason}"
    if len(report.refused) > SHOWN_LINES:
        yield f"  … and {len(report.refused) - SHOWN_LINES:,} more; --json gives all of them."
    if report.ignored_columns:
        yield f"Columns that were not used: {', '.join(report.ignored_columns)}."
