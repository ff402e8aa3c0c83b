"""Open a file of people: detect its format and columns, and stream its rows."""

import codecs
import contextlib
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from newsletter.common.errors import BadAddress
from newsletter.common.messages import Quantity
from subscribers.addresses.normalise import normalise
from subscribers.importing.reading.column_mapping import (
    check_mapping,
    find_chosen_attributes,
    find_code_column,
    has_reasons_without_codes,
    may_hold_part_of_name,
    normalise_column_name,
)
from subscribers.importing.reading.csv_records import Record, split_records
from subscribers.importing.reading.errors import BadFile
from subscribers.importing.reading.export_formats import Layout, detect_layout, guess_columns
from subscribers.importing.reading.file_format import UTF8_WITH_CP1252, detect_encoding, is_workbook, make_seekable
from subscribers.importing.reading.parsed_rows import ImportTerms, PersonRow, RefusedRow
from subscribers.importing.reading.row_reader import RowReader
from subscribers.importing.reading.spreadsheet import convert_workbook_to_csv
from subscribers.importing.reading.unclear_state import find_postal_columns

MAX_ROWS = 2_000_000
MAX_COLUMNS = 500
_MAX_LEADING_EMPTY_LINES = 100
_SAMPLE_ROWS = 200
_SAMPLE_VALUES = 3
_SEPARATOR_LINE = re.compile(r'"?sep=.?"?[,;\t]*', re.I)
"""The first line of some files for Excel. It names the separator of cells, which is recognised without it."""


@dataclass(frozen=True)
class DetectedFile:
    """The format that was detected in an opened file. `header` has the columns as written.

    `header_line` is the line of the file that names the columns; `header_row` is the row that a spreadsheet shows for it.
    """

    encoding: str
    delimiter: str
    header: list[str]
    layout: Layout
    header_line: int = 1
    header_row: int = 1

    def guess(self) -> list[str]:
        """Return a likely field for each column."""
        return guess_columns(self.header)


@dataclass(frozen=True)
class FileSample:
    """Values of each column from the first rows. `rows` is the number of rows with values; None for a long file.

    `filled` and `addresses` count the cells of each column that have a value and an address in these lines.
    """

    values: list[list[str]]
    rows: int | None
    filled: list[int]
    addresses: list[int]


@contextlib.contextmanager
def open_csv(file: BinaryIO) -> Iterator[BinaryIO]:
    """Open the file as CSV: itself, the content of a workbook, or a copy of a pipe. Raises `BadFile`."""
    with contextlib.ExitStack() as copies:
        source = make_seekable(file)
        if source is not file:
            copies.callback(source.close)
        if is_workbook(source):
            source = convert_workbook_to_csv(source)
            copies.callback(source.close)
        yield source


class _NonClosingTextWrapper(io.TextIOWrapper):
    """Text of a file that stays open when the text is closed."""

    def close(self) -> None:
        with contextlib.suppress(ValueError):
            self.detach()


def _decode_as_windows(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("subscribers.windows", _decode_as_windows)


def open_text(file: BinaryIO, *, encoding: str) -> io.TextIOWrapper:
    """Open the file as text from its current position. The caller closes the file. Line endings are kept."""
    if encoding == UTF8_WITH_CP1252:
        return _NonClosingTextWrapper(file, encoding="utf-8", errors="subscribers.windows", newline="")
    return _NonClosingTextWrapper(file, encoding=encoding, errors="replace", newline="")


def inspect_file(file: BinaryIO, *, encoding: str = "") -> DetectedFile:
    """Detect encoding, delimiter, columns and layout of a CSV file and rewind it. Raises `BadFile`."""
    encoding = encoding or detect_encoding(file)
    number, row, header_line = _find_header(file, encoding=encoding)
    delimiter = max(",;\t|", key=header_line.count)
    header = [clean_header(name) for name in next(csv.reader([header_line], delimiter=delimiter))]
    while header and not header[-1]:
        header.pop()
    if any(map(_is_address, header)):
        raise BadFile(
            "The first line is a person, but it must name the columns. Add a line above it, such as: "
            "email,name,country,city"
        )
    if len(header) > MAX_COLUMNS:
        raise BadFile(
            "The file has %(header)s columns; at most %(max_columns)s can be read. Remove the columns that you do not need.",
            header=Quantity(len(header)),
            max_columns=MAX_COLUMNS,
        )
    return DetectedFile(encoding, delimiter, header, detect_layout(header), number, row)


def _find_header(file: BinaryIO, *, encoding: str) -> tuple[int, int, str]:
    """Return the line, the row and the text of the first line that is not empty. The file is rewound.

    A spreadsheet shows no row for a line that names the separator, if the file begins with it.
    """
    start = file.tell()
    text = open_text(file, encoding=encoding)
    lines = [line.lstrip("\ufeff") for line in islice(text, _MAX_LEADING_EMPTY_LINES)]
    text.detach()
    file.seek(start)
    hidden = 1 if lines and _SEPARATOR_LINE.fullmatch(lines[0].strip()) else 0
    for number, line in enumerate(lines, 1):
        if line.strip(" \t\r\n,;") and not _SEPARATOR_LINE.fullmatch(line.strip()):
            return number, number - hidden, line
    raise BadFile("The file is empty. Its first line must name the columns, such as: email,name,country,city")


def _is_address(name: str) -> bool:
    if "@" not in name:
        return False
    try:
        normalise(name)
    except BadAddress:
        return False
    return True


def clean_header(name: str) -> str:
    """Return a column's name on one line, otherwise as written."""
    return " ".join(name.split())[:100]


def read_people(
    file: BinaryIO, *, detected: DetectedFile, mapping: Sequence[str], terms: ImportTerms
) -> Iterator[PersonRow | RefusedRow]:
    """Yield the rows of an inspected file, once. Raises `BadFile` for an unusable mapping or too many rows."""
    check_mapping(mapping, header=detected.header)
    reader = RowReader(
        mapping,
        terms=terms,
        delimiter=detected.delimiter,
        code_at=find_code_column(detected.header),
        without_codes=has_reasons_without_codes(detected.header),
        plain=find_chosen_attributes(detected.header, mapping) | find_postal_columns(detected.header),
        partial_names=may_hold_part_of_name(detected.header, mapping),
    )
    return _rows(file, detected=detected, reader=reader, email_at=list(mapping).index("email"))


def _rows(
    file: BinaryIO, *, detected: DetectedFile, reader: RowReader, email_at: int
) -> Iterator[PersonRow | RefusedRow]:
    count = 0
    for record in _records(file, detected=detected, email_at=email_at):
        row = reader.read(record)
        if row is None:
            continue
        count += 1
        if count > MAX_ROWS:
            raise BadFile(
                "The file has more than %(max_rows)s lines. Split it and import the parts. Nobody is added twice.",
                max_rows=Quantity(MAX_ROWS),
            )
        yield row


def _records(file: BinaryIO, *, detected: DetectedFile, email_at: int) -> Iterator[Record]:
    text = open_text(file, encoding=detected.encoding)
    for _ in range(detected.header_line):
        next(text, "")
    return split_records(
        iter(text),
        delimiter=detected.delimiter,
        first=detected.header_row + 1,
        width=len(detected.header),
        email_at=email_at,
    )


def sample_file(file: BinaryIO, *, detected: DetectedFile) -> FileSample:
    """Return up to three different values of each column from the first lines, cut to 60 characters. Rewinds the file."""
    start = file.tell()
    seen: list[dict[str, None]] = [{} for _ in detected.header]
    filled, addresses = [0] * len(detected.header), [0] * len(detected.header)
    read = rows = 0
    for record in islice(_records(file, detected=detected, email_at=0), _SAMPLE_ROWS):
        read += 1
        rows += record.cells is None or any(map(str.strip, record.cells))
        for at, cell in enumerate((record.cells or [])[: len(seen)]):
            plain = normalise_column_name(cell) and " ".join(cell.split())[:60]
            filled[at] += bool(plain)
            addresses[at] += _is_address(cell.strip())
            if plain and len(seen[at]) < _SAMPLE_VALUES:
                seen[at][plain] = None
    file.seek(start)
    return FileSample(
        [list(values) for values in seen], rows if read < _SAMPLE_ROWS else None, filled=filled, addresses=addresses
    )
