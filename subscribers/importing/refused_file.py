"""Writes refused lines as a file in the columns that they came in, to be mended and imported again."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from subscribers.importing.rows import RefusedRow
from subscribers.lines import guard_cell
from subscribers.models import ImportBatch, ImportRefusal

LINE, WHY = "Line in the file", "Why it was refused"


def write_refused(
    out: TextIO, *, header: Sequence[str], rows: Iterable[RefusedRow | ImportRefusal], safe: bool = True
) -> int:
    """Writes the header and the rows, with the line number and the reason before them. Returns how many rows.

    `safe` keeps spreadsheet programs from running a value as a formula; importing undoes it.
    """
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([LINE, WHY, *header])
    written = 0
    for row in rows:
        cells = read_raw(row.raw, width=len(header))
        writer.writerow([str(row.line), row.reason, *(guard_cell(cell) if safe else cell for cell in cells)])
        written += 1
    return written


def read_raw(raw: str, *, width: int) -> list[str]:
    """The cells of a kept line. One that could not be read at all is in the last column that it reaches, as it was."""
    cells = next(csv.reader(io.StringIO(raw, newline="")), [])
    return cells + [""] * (width - len(cells))


def refusals_of(batch: ImportBatch) -> Iterator[ImportRefusal]:
    return batch.refusals.order_by("line").iterator(chunk_size=2_000)
