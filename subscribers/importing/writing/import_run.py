"""Process the rows of one import, chunk by chunk. The batch keeps the last committed row and the counts.

A killed run continues after that row. No row is written twice, because the batch moves in the chunk's transaction.
"""

from array import array
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from types import TracebackType
from typing import BinaryIO, Generic, Self, TypeVar

from django.utils.translation import get_language, override

from newsletter.common.database.sqlite_pragmas import larger_sqlite_cache
from newsletter.common.messages import Message
from subscribers.identity import require_own_key
from subscribers.importing.reading.column_mapping import list_unused_columns
from subscribers.importing.reading.errors import BadFile
from subscribers.importing.reading.export_formats import find_layout
from subscribers.importing.reading.parsed_rows import ImportTerms, PersonRow, RefusedRow, RowKind
from subscribers.importing.reading.people_file import DetectedFile, inspect_file, read_people
from subscribers.importing.writing.chunk_writer import ChunkWriter
from subscribers.importing.writing.import_claim import ClaimedProgress
from subscribers.importing.writing.report import ImportReport
from subscribers.models import Basis, ImportBatch

CHUNK_ROWS = 5_000
CACHE_MB = 16
Rows = Iterator[PersonRow | RefusedRow]
_BUCKETS = 1 << 16
Row = TypeVar("Row")


class SeenAddresses:
    """Remember addresses by their hashes. A million take 16 MB, where a set of numbers takes 80 MB.

    Only 80 bits of each hash are kept. Among two million people, two collide once in 600,000 million files.
    """

    def __init__(self) -> None:
        self._buckets: list[array[int] | None] = [None] * _BUCKETS

    def add(self, address_hash: bytes) -> bool:
        """Remember the address. Return True if it was not known yet."""
        at, suffix = int.from_bytes(address_hash[:2]), int.from_bytes(address_hash[2:10])
        bucket = self._buckets[at]
        if bucket is None:
            self._buckets[at] = array("Q", (suffix,))
            return True
        if suffix in bucket:
            return False
        bucket.append(suffix)
        return True


class ChunkReader(Generic[Row]):
    """The chunks of `rows`, which must not use the database. It is a context manager that ends its thread.

    The thread reads the next chunk while the database writes the last one. Each is about half of the work, and other threads
    can run during a statement.
    """

    def __init__(self, rows: Iterator[Row], *, size: int) -> None:
        self._rows = rows
        self._size = size
        self._coming: Future[list[Row]] | None = None
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="import-reader")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def take(self) -> list[Row]:
        """Return the next chunk, or an empty list after the last one. Raise what reading it raised."""
        if self._coming is None:
            return self._read()
        coming, self._coming = self._coming, None
        return coming.result()

    def read_ahead(self) -> None:
        """Begin to read the next chunk in the thread, in the language of the caller. Do nothing if it has begun."""
        if self._coming is None:
            self._coming = self._pool.submit(self._read_in_language, get_language())

    def _read_in_language(self, language: str | None) -> list[Row]:
        with override(language):
            return self._read()

    def _read(self) -> list[Row]:
        return list(islice(self._rows, self._size))


class ImportRun:
    """One pass over a file. `stored` keeps the progress, also that of a dry run in the desk; a command's has none.

    `stopping` is asked between chunks and ends the run early.
    """

    def __init__(
        self,
        *,
        batch: ImportBatch,
        file: BinaryIO,
        dry_run: bool,
        stored: ClaimedProgress | None = None,
        progress: Callable[[int], None] | None = None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._batch = batch
        self._dry_run = dry_run
        self._stored = stored
        self._progress = progress
        self._stopping = stopping
        self._writer = ChunkWriter(batch=batch, dry_run=dry_run)
        self._seen = SeenAddresses()
        self.report = new_report(batch)
        self._rows = self._open_rows(file)

    def go(self) -> bool:
        """Work until the file ends. Return False if it was asked to stop before. Raise OtherAddressKey."""
        require_own_key()
        self._skip_done()
        with larger_sqlite_cache(megabytes=CACHE_MB), ChunkReader(self._rows, size=CHUNK_ROWS) as chunks:
            return self._process_chunks(chunks)

    def _process_chunks(self, chunks: ChunkReader[PersonRow | RefusedRow]) -> bool:
        while chunk := chunks.take():
            if self._stopping():
                return False
            self._process_chunk(chunk, read_ahead=chunks.read_ahead)
            if self._progress is not None:
                self._progress(self.report.rows)
        return True

    def _open_rows(self, file: BinaryIO) -> Rows:
        batch = self._batch
        detected = inspect_file(file, encoding=batch.encoding)
        if detected.header != batch.header:
            raise BadFile("The file’s columns changed since you mapped them. Start the import again.")
        terms = ImportTerms(
            kind=batch.kind,
            soft_opt_in=batch.basis == Basis.SOFT_OPT_IN and batch.kind == RowKind.JOIN,
            collected_on=batch.collected_on,
            implied_from=None if batch.confirm else batch.started_at.date(),
            all_implied=batch.basis == Basis.CASL_IMPLIED,
            expires_on=batch.expires_on,
            list_slug=batch.mailing_list.slug,
            country=batch.country,
        )
        return read_people(file, detected=detected, mapping=batch.mapping, terms=terms)

    def _skip_done(self) -> None:
        """Skip committed rows, and remember their addresses so that later duplicates count as repeated."""
        if self._dry_run:
            return
        done = self._batch.rows_done
        if not done:
            self.report.begin_again(self._batch.counts)
            return
        self.report.resume_from(self._batch.counts)
        self.report.resumed_after = done
        remaining = done
        while remaining and (chunk := list(islice(self._rows, min(remaining, CHUNK_ROWS)))):
            remaining -= len(chunk)
            for row in chunk:
                if isinstance(row, PersonRow) and row.kind != RowKind.ELSEWHERE:
                    self._seen.add(self._writer.hash_address(row.email))
            if self._stored is not None:
                self._stored.extend_claim()

    def _process_chunk(self, chunk: list[PersonRow | RefusedRow], *, read_ahead: Callable[[], None]) -> None:
        rows_before = self.report.rows
        refused = [row for row in chunk if isinstance(row, RefusedRow)]
        self.report.rows += len(chunk)
        self.report.refuse(refused)
        people = self._drop_repeats(chunk)

        def save(outcomes: dict[str, int]) -> None:
            self.report.add(outcomes)
            if self._stored is not None and not self._dry_run:
                self._stored.save_chunk(self.report, rows_before=rows_before, refused=refused)

        now = self._batch.started_at if self._stored is None else self._stored.read_clock()
        self._writer.write(people, note=self.report.note, now=now, staged=read_ahead, after=save)
        if self._stored is not None and self._dry_run:
            self._stored.save_checked_rows(self.report)

    def _drop_repeats(self, chunk: list[PersonRow | RefusedRow]) -> dict[bytes, PersonRow]:
        people: dict[bytes, PersonRow] = {}
        for row in chunk:
            if isinstance(row, RefusedRow):
                continue
            if row.kind == RowKind.ELSEWHERE:
                self.report.elsewhere += 1
                continue
            address_hash = self._writer.hash_address(row.email)
            if not self._seen.add(address_hash):
                self.report.repeated += 1
                self.report.note(row.line, Message("This address is on an earlier row too. We use that row."))
                continue
            people[address_hash] = row
        return people


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


def fill_from_file(batch: ImportBatch, detected: DetectedFile) -> None:
    """Store the detected format of the file."""
    batch.encoding, batch.delimiter, batch.header = detected.encoding, detected.delimiter, detected.header
    batch.layout = detected.layout.slug
