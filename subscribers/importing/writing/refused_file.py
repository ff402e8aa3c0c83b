"""Write refused lines as a file with their original columns, to be corrected and imported again."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from django.utils.translation import override

from newsletter.common.text import escape_csv_cell, unescape_csv_cell
from newsletter.common.translation import translate
from subscribers.importing.reading.column_mapping import REFUSED_COLUMNS, is_file_column
from subscribers.importing.reading.parsed_rows import RefusedRow
from subscribers.models import ImportBatch, ImportRefusal


def write_refused(out: TextIO, *, header: Sequence[str], rows: Iterable[RefusedRow | ImportRefusal]) -> None:
    """Write `format_refused_rows` to a text file."""
    csv.writer(out, lineterminator="\r\n").writerows(format_refused_rows(header=header, rows=rows))


def format_refused_rows(
    *, header: Sequence[str], rows: Iterable[RefusedRow | ImportRefusal], language: str = "en"
) -> Iterator[list[str]]:
    """Yield the header and the rows with row number, reason and its code in front, safe in a spreadsheet.

    Reasons are in the `language`, also if the rows are read after the page's language ended. Columns of an earlier file of
    refused lines are dropped. A value that was escaped before is not escaped twice.
    """
    earlier = {at for at, name in enumerate(header) if not is_file_column(name)}

    def safe(cells: Iterable[str]) -> Iterator[str]:
        return (escape_csv_cell(unescape_csv_cell(cell)) for at, cell in enumerate(cells) if at not in earlier)

    yield [*REFUSED_COLUMNS, *safe(header)]
    for row in rows:
        with override(language):
            reason = translate(row.reason)
        yield [str(row.line), escape_csv_cell(reason), row.kind, *safe(read_raw(row.raw, width=len(header)))]


def read_raw(raw: str, *, width: int) -> list[str]:
    """Return the cells of a stored line. An unreadable one has its rest in one cell, from the open quotation mark."""
    cells = next(csv.reader(io.StringIO(raw, newline="")), [])
    return cells + [""] * (width - len(cells))


def iterate_refusals(batch: ImportBatch) -> Iterator[ImportRefusal]:
    return batch.refusals.order_by("line").iterator(chunk_size=2_000)
