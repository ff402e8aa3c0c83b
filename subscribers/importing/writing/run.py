"""Works through the rows of one import, chunk by chunk; the last committed row is kept in the batch with its counts.

A killed run goes on after that row; a row is never written twice, because the batch moves in the chunk's transaction.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from typing import BinaryIO

from django.db import transaction

from newsletter.common.messages import Message
from subscribers.importing.reading.column_mapping import unused_columns
from subscribers.importing.reading.deduplication import Seen
from subscribers.importing.reading.errors import BadFile
from subscribers.importing.reading.layouts import ELSEWHERE, find_layout
from subscribers.importing.reading.outcomes import PersonRow, RefusedRow
from subscribers.importing.reading.people_file import PeopleFile, look_at, read_people
from subscribers.importing.writing.chunks import ChunkWriter
from subscribers.importing.writing.claims import hold, release
from subscribers.importing.writing.report import ImportReport
from subscribers.importing.writing.row_notes import remarks_dropped_by_now
from subscribers.importing.writing.stage import room_for_indexes
from subscribers.models import Basis, ImportBatch, ImportRefusal, ImportState

CHUNK = 5_000
_KEPT_REFUSALS = 200
Rows = Iterator[PersonRow | RefusedRow]


class Run:
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
        self._seen = Seen()
        self._dropped = batch.remarks_dropped
        self.report = new_report(batch)
        self._rows = self._open(file)

    def obey_drops(self) -> None:
        """Forgets its remarks where they were dropped since the last step. Within the transaction that writes them."""
        dropped = remarks_dropped_by_now(self._batch.pk)
        if dropped != self._dropped:
            self.report.drop_remarks()
            self._dropped = dropped

    def go(self) -> bool:
        """Works until the file ends. False when it was asked to stop before."""
        self._skip_done()
        with room_for_indexes():
            return self._go_on()

    def _go_on(self) -> bool:
        while chunk := list(islice(self._rows, CHUNK)):
            if self._stopping():
                return False
            self._do(chunk)
            if self._progress is not None:
                self._progress(self.report.rows)
        return True

    def _open(self, file: BinaryIO) -> Rows:
        batch = self._batch
        look = look_at(file, encoding=batch.encoding)
        if look.header != batch.header:
            raise BadFile("The columns of the file are not those that were chosen. Start the import again.")
        return read_people(
            file,
            look=look,
            mapping=batch.mapping,
            kind=batch.kind,
            soft_opt_in=batch.basis == Basis.SOFT_OPT_IN and batch.kind == "join",
            collected_on=batch.collected_on,
            implied_from=None if batch.confirm else batch.started_at.date(),
            all_implied=batch.basis == Basis.CASL_IMPLIED,
            expires_on=batch.expires_on,
            slug=batch.mailing_list.slug,
        )

    def _skip_done(self) -> None:
        """Passes over what is committed, and remembers its addresses, so that a later line of one counts as repeated."""
        done = 0 if self._dry_run else self._batch.rows_done
        if not done:
            return
        self.report.take_up(self._batch.counts)
        self.report.resumed_after = done
        left = done
        while left and (chunk := list(islice(self._rows, min(left, CHUNK)))):
            left -= len(chunk)
            for row in chunk:
                if isinstance(row, PersonRow) and row.kind != ELSEWHERE:
                    self._seen.add(self._writer.identify(row.email))
            hold(self._batch, token=self._token, now=self._clock())

    def _do(self, chunk: list[PersonRow | RefusedRow]) -> None:
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
            self.obey_drops()
            hold(
                self._batch,
                token=self._token,
                now=self._clock(),
                where={"rows_done": before},
                rows_done=self.report.rows,
                counts=self.report.as_stored(),
            )

        self._writer.write(fresh, note=self.report.note, after=keep)
        if self._dry_run and self._token:
            hold(self._batch, token=self._token, now=self._clock(), rows_done=self.report.rows)

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
    """An empty report that says what the batch is."""
    used = {name: target for name, target in zip(batch.header, batch.mapping, strict=True) if target}
    return ImportReport(
        encoding=batch.encoding,
        layout=find_layout(batch.layout).name,
        header=batch.header,
        columns=used,
        ignored_columns=unused_columns(batch.header, batch.mapping),
        batch_id=batch.pk,
    )


@transaction.atomic
def finish_run(batch: ImportBatch, *, token: str, run: Run, now: datetime) -> None:
    """The whole file is in."""
    run.obey_drops()
    release(batch, token=token, state=ImportState.FINISHED, finished_at=now, counts=run.report.as_stored())


@transaction.atomic
def finish_check(batch: ImportBatch, *, token: str, run: Run) -> None:
    """The dry run is over; nothing of it is written but its numbers."""
    run.obey_drops()
    found = run.report.as_stored(refusals=_KEPT_REFUSALS)
    release(batch, token=token, state=ImportState.CHECKED, rows_done=0, checked=found)


def describe(batch: ImportBatch, look: PeopleFile) -> None:
    """Fills in what was seen in the file."""
    batch.encoding, batch.delimiter, batch.header = look.encoding, look.delimiter, look.header
    batch.layout = look.layout.slug
