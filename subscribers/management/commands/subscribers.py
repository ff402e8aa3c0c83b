"""newsletter subscribers: import people, undo an import, export them, show one person, or count the silent ones."""

import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from getpass import getuser
from io import SEEK_SET, BufferedReader, FileIO, RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.common.commands.base import ProductCommand
from newsletter.common.commands.private_output import open_private
from newsletter.common.errors import BadFile, NotFound
from newsletter.common.known_names import find_by_name
from subscribers.exporting.csv_export import export_people
from subscribers.importing.writing.import_people import ConsentTerms, PeopleFile, import_people
from subscribers.importing.writing.refused_file import iterate_refusals, write_refused
from subscribers.importing.writing.report import ImportReport
from subscribers.importing.writing.undo import undo_now
from subscribers.management.import_output import format_report, format_undone, report_as_json, show_import_progress
from subscribers.models import Basis, ImportBatch, ImportKind, MailingList
from subscribers.people.describe_person import describe_person
from subscribers.people.inactivity import MAX_MONTHS, count_silence, subtract_months
from subscribers.people.lookup import find_person

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BASES = [Basis.CONSENT, Basis.SOFT_OPT_IN, Basis.LEGITIMATE_INTEREST, Basis.CONTRACT, Basis.CASL_IMPLIED]
KIND_ALIASES = {"unsubscribed": ImportKind.LEFT_LIST, "unsubscribed_from_all": ImportKind.LEFT_ALL}
_BLOCK_BYTES = 1 << 20


class Command(ProductCommand):
    help = "Import people from a CSV file, export them, or show what is held about one person."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="import | undo | export | show | silent")
        _add_import_arguments(
            actions.add_parser("import", help="Import people from a CSV file or an Excel workbook into a list.")
        )
        undo = actions.add_parser("undo", help="Undo an import: the people whom it added are removed.")
        undo.add_argument("number", type=int, metavar="IMPORT", help="The number that the import printed.")
        undo.add_argument("--json", action="store_true")
        write = actions.add_parser("export", help="Write the people who may be mailed, as CSV.")
        write.add_argument("--list", dest="slug", metavar="SLUG", help="Only the people of this list.")
        write.add_argument("--out", metavar="FILE", type=Path, help="The file to write; standard output if not given.")
        show = actions.add_parser("show", help="Show what is held about one person, as JSON.")
        show.add_argument("email", metavar="EMAIL")
        show.add_argument("--json", action="store_true", help="Has no effect; the output is always JSON.")
        silent = actions.add_parser(
            "silent", help="Count who would be asked whether they still want mail. Asks nobody."
        )
        silent.add_argument(
            "--months", type=int, default=24, metavar="N", help="The months of silence: 24 if not given."
        )
        silent.add_argument("--json", action="store_true")

    def run(self, *, action: str, **options: object) -> None:
        actions: dict[str, Callable[..., None]] = {
            "import": self._import,
            "undo": self._undo,
            "export": self._export,
            "show": self._show,
            "silent": self._count_silent,
        }
        actions[action](**options)

    def _import(
        self,
        *,
        file: Path,
        slug: str,
        columns: Sequence[tuple[str, str]],
        refused: Path | None,
        dry_run: bool,
        json: bool,
        **terms: object,
    ) -> None:
        mailing_list = _find_list(slug)
        read_terms: Callable[..., ConsentTerms] = _read_terms
        report = _import_file(
            file, mailing_list=mailing_list, columns=dict(columns), terms=read_terms(**terms), dry_run=dry_run
        )
        if refused:
            _write_refused(report, out=refused, header=report.header)
        if json:
            self.write_json(report_as_json(report, mailing_list=mailing_list.slug, dry_run=dry_run))
        else:
            self.write_lines(format_report(report, name=mailing_list.name, dry_run=dry_run))
            if refused:
                self.stdout.write(
                    f"The refused lines are in {refused}. Correct them, then import that file."
                    if report.refused
                    else f"No line was refused, so {refused} has none."
                )

    def _undo(self, *, number: int, json: bool) -> None:
        batch = _find_import(number)
        done = undo_now(batch, by=_person(), clock=lambda: datetime.now(UTC))
        if json:
            self.write_json({"import": batch.pk, **done})
        else:
            self.write_lines(format_undone(done, number=batch.pk))

    def _export(self, *, slug: str | None, out: Path | None) -> None:
        mailing_list = _find_list(slug) if slug else None
        if out is None:
            export_people(out=sys.stdout, mailing_list=mailing_list)
            return
        try:
            with open_private(out) as file:
                people = export_people(out=file, mailing_list=mailing_list)
        except OSError as error:
            raise BadFile(f"{out} cannot be written: {error.strerror}. Choose another --out.") from error
        written = "1 person is" if people == 1 else f"{people:,} people are"
        self.stdout.write(f"{written} written to {out}. It is personal data: delete it when you are done.")

    def _show(self, *, email: str, json: bool) -> None:
        self.write_json(describe_person(find_person(email), now=datetime.now(UTC)))

    def _count_silent(self, *, months: int, json: bool) -> None:
        if not 1 <= months <= MAX_MONTHS:
            raise NotFound(f"Nobody can have been silent for {months} months. Give 1 to {MAX_MONTHS}.")
        now = datetime.now(UTC)
        count = count_silence(since=subtract_months(now, months), now=now)
        if json:
            self.write_json({"months": months, **asdict(count)})
            return
        self.write_lines(
            [
                f"Silent for {months} months and not asked yet: {count.silent:,}",
                f"Asked, without an answer yet: {count.waiting:,}",
                f"Resting, because they did not answer: {count.resting:,}",
            ]
        )


def _add_import_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "file", metavar="FILE.csv", type=Path, help="A column email, and any of name, country, region …"
    )
    parser.add_argument("--list", dest="slug", required=True, metavar="SLUG")
    parser.add_argument(
        "--basis", required=True, choices=[str(basis) for basis in BASES], help="The legal basis for emailing them."
    )
    parser.add_argument(
        "--evidence", required=True, metavar="TEXT", help="The evidence of it, stored with each person."
    )
    parser.add_argument(
        "--confirm", action="store_true", help="Ask each person to confirm by email first (double opt-in)."
    )
    _add_arguments_about_lines(parser)
    parser.add_argument(
        "--refused",
        type=Path,
        metavar="FILE",
        help="Write the refused lines to FILE, so that you can correct them.",
    )
    parser.add_argument("--dry-run", action="store_true", help="Print what would happen, and change nothing.")
    parser.add_argument("--json", action="store_true")


def _add_arguments_about_lines(parser: ArgumentParser) -> None:
    """Add the options for the columns of an imported file and for the defaults of lines."""
    parser.add_argument(
        "--map",
        dest="columns",
        action="append",
        default=[],
        type=_read_pair,
        metavar="COLUMN=FIELD",
        help='What a column is, such as "Vorname=first_name", "Shoe=attribute:shoe" or "Notes=" to leave it out.',
    )
    parser.add_argument(
        "--as",
        dest="kind",
        default="",
        choices=[*KIND_ALIASES, *map(str, ImportKind)],
        help="What the people in the file are, if the detected type is wrong.",
    )
    parser.add_argument(
        "--collected",
        type=date.fromisoformat,
        metavar="DATE",
        help="soft_opt_in: sign-up date for lines without one (use the earliest).",
    )
    parser.add_argument(
        "--expires",
        type=date.fromisoformat,
        metavar="DATE",
        help="casl_implied: expiry date for lines without one.",
    )
    parser.add_argument(
        "--country",
        default="",
        metavar="COUNTRY",
        help="The country of people whose line has none, such as GB, so that York is found.",
    )


class _NonClosingFile(RawIOBase):
    """A file lent to a reader that may close it; the file itself stays open."""

    def __init__(self, file: FileIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._file.seekable()

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        return self._file.readinto(buffer)

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


def count_lines(file: Path) -> int:
    """Return roughly how many lines the file has (a cell may contain line breaks). Raises OSError."""
    with file.open("rb") as data:
        return sum(piece.count(b"\n") for piece in iter(lambda: data.read(_BLOCK_BYTES), b""))


def _read_terms(
    *, basis: str, evidence: str, confirm: bool, kind: str, collected: date | None, expires: date | None, country: str
) -> ConsentTerms:
    return ConsentTerms(
        basis=basis,
        evidence=evidence,
        kind=KIND_ALIASES.get(kind, kind),
        collected_on=collected,
        expires_on=expires,
        country=country,
        confirm=confirm,
    )


def _import_file(
    file: Path, *, mailing_list: MailingList, columns: Mapping[str, str], terms: ConsentTerms, dry_run: bool
) -> ImportReport:
    try:
        with file.open("rb", buffering=0) as lines, show_import_progress(count_lines(file)) as progress:
            content = BufferedReader(_NonClosingFile(lines), buffer_size=_BLOCK_BYTES)
            return import_people(
                PeopleFile(content=content, name=file.name, columns=columns),
                mailing_list=mailing_list,
                terms=terms,
                by=_person(),
                dry_run=dry_run,
                progress=progress,
            )
    except OSError as error:
        raise BadFile(f"{file} cannot be read: {error.strerror}. Check the path and the right to read it.") from error


def _write_refused(report: ImportReport, *, out: Path, header: Sequence[str]) -> None:
    batch = ImportBatch.objects.filter(pk=report.batch_id).first() if report.batch_id else None
    try:
        with open_private(out, encoding="utf-8-sig") as file:
            write_refused(file, header=header, rows=iterate_refusals(batch) if batch else report.refusals)
    except OSError as error:
        raise BadFile(f"{out} cannot be written: {error.strerror}. Choose another --refused.") from error


def _find_list(slug: str) -> MailingList:
    return find_by_name(slug, MailingList.objects.all(), by=("slug", "name"), what="list", where="--list")


def _find_import(number: int) -> ImportBatch:
    batch = ImportBatch.objects.select_related("mailing_list").filter(pk=number).first()
    if batch is None:
        raise NotFound(
            f"There is no import {number}. The desk lists all of them under Subscribers, Imports and exports."
        )
    return batch


def _person() -> str:
    return f"{getuser()} (command line)"


def _read_pair(text: str) -> tuple[str, str]:
    column, equals, field = text.rpartition("=")
    if not equals:
        raise ArgumentTypeError(f"“{text}” is not COLUMN=FIELD, such as Vorname=first_name")
    return column.strip(), field.strip()
