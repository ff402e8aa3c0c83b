"""Writes refused lines as a file in the columns that they came in, to be mended and imported again."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from subscribers.importing.outcomes import RefusedRow
from subscribers.lines import guard_cell
from subscribers.models import ImportBatch, ImportRefusal

LINE, WHY = "Line in the file", "Why it was refused"


def write_refused(out: TextIO, *, header: Sequence[str], rows: Iterable[RefusedRow | ImportRefusal]) -> None:
    """Writes `refused_rows` to a text file."""
    csv.writer(out, lineterminator="\r\n").writerows(refused_rows(header=header, rows=rows))


def refused_rows(*, header: Sequence[str], rows: Iterable[RefusedRow | ImportRefusal]) -> Iterator[list[str]]:
    """The header and the rows, with the line number and the reason before them, safe to open in a spreadsheet."""
    yield [LINE, WHY, *(guard_cell(name) for name in header)]
    for row in rows:
        yield [str(row.line), row.reason, *(guard_cell(cell) for cell in read_raw(row.raw, width=len(header)))]


def read_raw(raw: str, *, width: int) -> list[str]:
    """The cells of a kept line. One that could not be read at all is in the last column that it reaches, as it was."""
    cells = next(csv.reader(io.StringIO(raw, newline="")), [])
    return cells + [""] * (width - len(cells))


def refusals_of(batch: ImportBatch) -> Iterator[ImportRefusal]:
    return batch.refusals.order_by("line").iterator(chunk_size=2_000)
