"""Brings a file of people into a list: streamed, in transactions of 2,000, safe to repeat.

It never blanks what we know, never mails anyone whose address is suppressed, and keeps every refused line.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO

from subscribers.errors import DomainError
from subscribers.import_chunk import ChunkWriter, Outcome
from subscribers.models import Basis, ImportBatch, ImportRefusal, MailingList
from subscribers.people_csv import PersonRow, RefusedRow, open_people

CHUNK = 2_000
MOST_NOTES = 1_000
_IMPORTABLE = (Basis.CONSENT, Basis.SOFT_OPT_IN, Basis.LEGITIMATE_INTEREST, Basis.CONTRACT)


class CannotImport(DomainError):
    """The import was asked for without what the law needs."""


@dataclass
class ImportReport:
    """What an import did, or would do. `rows` is the sum of the other numbers and the refused lines.

    `new` are people new to the list, `waiting` are on it and have not confirmed, `repeated` are further lines of an
    address. `refused` and `notes` pair a line number with a reason; only the first 1,000 notes are kept.
    """

    rows: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    waiting: int = 0
    suppressed: int = 0
    repeated: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)
    notes: list[tuple[int, str]] = field(default_factory=list)
    encoding: str = ""
    ignored_columns: list[str] = field(default_factory=list)
    batch_id: int | None = None

    def counts(self) -> dict[str, int]:
        return {
            "rows": self.rows,
            "new": self.new,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "waiting": self.waiting,
            "suppressed": self.suppressed,
            "repeated": self.repeated,
            "refused": len(self.refused),
        }


def import_people(
    *,
    file: BinaryIO,
    mailing_list: MailingList,
    basis: Basis | str,
    evidence: str,
    by: str,
    now: datetime,
    dry_run: bool = False,
    confirm: bool = False,
    progress: Callable[[int], None] | None = None,
    file_name: str = "",
) -> ImportReport:
    """Imports a CSV file of people (bytes). With `confirm` they are asked by mail first instead of being mailable.

    `progress` is told the number of rows read so far. Raises `CannotImport` or `BadFile` before anything is written.
    """
    basis = _check(basis=basis, evidence=evidence, by=by)
    people = open_people(file)
    report = ImportReport(encoding=people.encoding, ignored_columns=people.ignored_columns)
    batch = ImportBatch(
        mailing_list=mailing_list,
        file_name=file_name[:200],
        basis=basis,
        evidence=evidence.strip(),
        by=by,
        started_at=now,
        encoding=people.encoding,
    )
    if not dry_run:
        batch.save()
        report.batch_id = batch.pk
    writer = ChunkWriter(batch=batch, confirm=confirm, dry_run=dry_run, now=now)
    seen: set[bytes] = set()
    for chunk in _chunks(people.rows):
        report.rows += len(chunk)
        _keep_refused(chunk, batch=batch, report=report, dry_run=dry_run)
        fresh = _drop_repeats(chunk, writer=writer, seen=seen, report=report)
        _count(writer.write(fresh, note=lambda line, text: _note(report, line, text)), report)
        if progress is not None:
            progress(report.rows)
    if not dry_run:
        ImportBatch.objects.filter(pk=batch.pk).update(finished_at=now, counts=report.counts())
    return report


def _check(*, basis: Basis | str, evidence: str, by: str) -> Basis:
    if basis not in _IMPORTABLE:
        raise CannotImport(f"“{basis}” is not a basis for an import. Use one of {', '.join(_IMPORTABLE)}.")
    if not evidence.strip():
        raise CannotImport(
            "Say what proves that these people may be mailed, such as “sign-up sheet, spring fair 2026”."
        )
    if not by.strip():
        raise CannotImport("Say who imports these people; the name is kept with the proof.")
    return Basis(basis)


def _chunks(rows: Iterator[PersonRow | RefusedRow]) -> Iterator[list[PersonRow | RefusedRow]]:
    chunk: list[PersonRow | RefusedRow] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _keep_refused(
    chunk: list[PersonRow | RefusedRow], *, batch: ImportBatch, report: ImportReport, dry_run: bool
) -> None:
    refused = [row for row in chunk if isinstance(row, RefusedRow)]
    report.refused.extend((row.line, row.reason) for row in refused)
    if refused and not dry_run:
        ImportRefusal.objects.bulk_create(
            ImportRefusal(batch=batch, line=row.line, raw=row.raw, reason=row.reason) for row in refused
        )


def _drop_repeats(
    chunk: list[PersonRow | RefusedRow], *, writer: ChunkWriter, seen: set[bytes], report: ImportReport
) -> dict[bytes, PersonRow]:
    fresh: dict[bytes, PersonRow] = {}
    for row in chunk:
        if isinstance(row, RefusedRow):
            continue
        address_hash = writer.identify(row.email)
        short = address_hash[:12]  # two million whole hashes would be heavy; 96 bits do not collide
        if short in seen:
            report.repeated += 1
            _note(report, row.line, "The address is on an earlier line too; that line counts.")
            continue
        seen.add(short)
        fresh[address_hash] = row
    return fresh


def _count(outcomes: dict[Outcome, int], report: ImportReport) -> None:
    tally: dict[Outcome, int] = defaultdict(int, outcomes)
    report.new += tally[Outcome.NEW]
    report.updated += tally[Outcome.UPDATED]
    report.unchanged += tally[Outcome.UNCHANGED]
    report.waiting += tally[Outcome.WAITING]
    report.suppressed += tally[Outcome.SUPPRESSED]


def _note(report: ImportReport, line: int, text: str) -> None:
    if len(report.notes) < MOST_NOTES:
        report.notes.append((line, text))
