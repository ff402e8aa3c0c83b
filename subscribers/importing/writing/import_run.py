"""Process the rows of one import, chunk by chunk. The batch keeps the last committed row and the counts.

A killed run continues after that row. No row is written twice, because the batch moves in the chunk's transaction.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from typing import BinaryIO

from django.db import transaction

from newsletter.common.messages import Message
from subscribers.importing.reading.column_mapping import list_unused_columns
from subscribers.importing.reading.deduplication import SeenAddresses
from subscribers.importing.reading.errors import BadFile
from subscribers.importing.reading.layouts import ELSEWHERE, find_layout
from subscribers.importing.reading.parsed_rows import PersonRow, RefusedRow
from subscribers.importing.reading.people_file import PeopleFile, inspect_file, read_people
from subscribers.importing.reading.row_reader import ImportRules
from subscribers.importing.writing.chunk_writer import ChunkWriter
from subscribers.importing.writing.claims import release, renew_claim
from subscribers.importing.writing.report import ImportReport
from subscribers.importing.writing.row_notes import lock_and_read_notes_dropped
from subscribers.importing.writing.staging_table import larger_sqlite_cache
from subscribers.models import Basis, ImportBatch, ImportRefusal, ImportState

CHUNK_ROWS = 5_000
_MAX_KEPT_REFUSALS = 200
Rows = Iterator[PersonRow | RefusedRow]


class ImportRun:
    """One pass over a file. `clock` tells the time; `stopping` is asked between chunks and ends the run early."""

    def __init__(
        self,
        *,
        batch: ImportBatch,
        file: BinaryIO,
        dry_run: bool,
        clock: Callable[[], datetime],
        token: str = "",
        progress: Callable[[int], None] | None = None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._batch = batch
        self._token = token
        self._dry_run = dry_run
        self._clock = clock
        self._progress = progress
        self._stopping = stopping
        self._writer = ChunkWriter(batch=batch, dry_run=dry_run)
        self._seen = SeenAddresses()
        self._notes_dropped = batch.row_notes_dropped
        self.report = new_report(batch)
        self._rows = self._open_rows(file)

    def sync_dropped_notes(self) -> None:
        """Forget the notes if they were dropped since the last step. Call it in the transaction that writes them."""
        dropped = lock_and_read_notes_dropped(self._batch.pk)
        if dropped != self._notes_dropped:
            self.report.discard_row_notes()
            self._notes_dropped = dropped

    def go(self) -> bool:
        """Work until the file ends. Return False if it was asked to stop before."""
        self._skip_done()
        with larger_sqlite_cache():
            return self._process_chunks()

    def _process_chunks(self) -> bool:
        while chunk := list(islice(self._rows, CHUNK_ROWS)):
            if self._stopping():
                return False
            self._process_chunk(chunk)
            if self._progress is not None:
                self._progress(self.report.rows)
        return True

    def _open_rows(self, file: BinaryIO) -> Rows:
        batch = self._batch
        look = inspect_file(file, encoding=batch.encoding)
        if look.header != batch.header:
            raise BadFile("The columns of the file are not those that were chosen. Start the import again.")
        rules = ImportRules(
            kind=batch.kind,
            soft_opt_in=batch.basis == Basis.SOFT_OPT_IN and batch.kind == "join",
            collected_on=batch.collected_on,
            implied_from=None if batch.confirm else batch.started_at.date(),
            all_implied=batch.basis == Basis.CASL_IMPLIED,
            expires_on=batch.expires_on,
            slug=batch.mailing_list.slug,
        )
        return read_people(file, look=look, mapping=batch.mapping, rules=rules)

    def _skip_done(self) -> None:
        """Skip committed rows, and remember their addresses so that later duplicates count as repeated."""
        done = 0 if self._dry_run else self._batch.rows_done
        if not done:
            return
        self.report.resume_from(self._batch.counts)
        self.report.resumed_after = done
        left = done
        while left and (chunk := list(islice(self._rows, min(left, CHUNK_ROWS)))):
            left -= len(chunk)
            for row in chunk:
                if isinstance(row, PersonRow) and row.kind != ELSEWHERE:
                    self._seen.add(self._writer.identify(row.email))
            renew_claim(self._batch, token=self._token, now=self._clock())

    def _process_chunk(self, chunk: list[PersonRow | RefusedRow]) -> None:
        before = self.report.rows
        refused = [row for row in chunk if isinstance(row, RefusedRow)]
        self.report.rows += len(chunk)
        self.report.refuse(refused)
        fresh = self._drop_repeats(chunk)

        def keep(outcomes: dict[str, int]) -> None:
            self.report.add(outcomes)
            if self._dry_run:
                return
            ImportRefusal.objects.bulk_create(
                ImportRefusal(batch=self._batch, line=row.line, kind=row.kind, raw=row.raw, reason=row.reason)
                for row in refused
            )
            self.sync_dropped_notes()
            renew_claim(
                self._batch,
                token=self._token,
                now=self._clock(),
                where={"rows_done": before},
                rows_done=self.report.rows,
                counts=self.report.as_stored(),
            )

        self._writer.write(fresh, note=self.report.note, after=keep)
        if self._dry_run and self._token:
            renew_claim(self._batch, token=self._token, now=self._clock(), rows_done=self.report.rows)

    def _drop_repeats(self, chunk: list[PersonRow | RefusedRow]) -> dict[bytes, PersonRow]:
        fresh: dict[bytes, PersonRow] = {}
        for row in chunk:
            if isinstance(row, RefusedRow):
                continue
            if row.kind == ELSEWHERE:
                self.report.elsewhere += 1
                continue
            address_hash = self._writer.identify(row.email)
            if not self._seen.add(address_hash):
                self.report.repeated += 1
                self.report.note(row.line, Message("The address is on an earlier line too; that line counts."))
                continue
            fresh[address_hash] = row
        return fresh


def new_report(batch: ImportBatch) -> ImportReport:
    """Return an empty report for a batch."""
    used = {name: target for name, target in zip(batch.header, batch.mapping, strict=True) if target}
    return ImportReport(
        encoding=batch.encoding,
        layout=find_layout(batch.layout).name,
        header=batch.header,
        columns=used,
        ignored_columns=list_unused_columns(batch.header, batch.mapping),
        batch_id=batch.pk,
    )


@transaction.atomic
def finish_run(batch: ImportBatch, *, token: str, run: ImportRun, now: datetime) -> None:
    """Mark the import as complete."""
    run.sync_dropped_notes()
    release(batch, token=token, state=ImportState.FINISHED, finished_at=now, counts=run.report.as_stored())


@transaction.atomic
def finish_check(batch: ImportBatch, *, token: str, run: ImportRun) -> None:
    """Mark the dry run as complete. Only its numbers are kept."""
    run.sync_dropped_notes()
    found = run.report.as_stored(refusals=_MAX_KEPT_REFUSALS)
    release(batch, token=token, state=ImportState.CHECKED, rows_done=0, checked=found)


def fill_from_file(batch: ImportBatch, look: PeopleFile) -> None:
    """Store what was detected in the file."""
    batch.encoding, batch.delimiter, batch.header = look.encoding, look.delimiter, look.header
    batch.layout = look.layout.slug
