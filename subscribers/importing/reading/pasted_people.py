"""Turn people typed or pasted by staff into a file with named columns, which an import reads like any other."""

import csv
import io
from dataclasses import dataclass
from email.utils import parseaddr
from typing import BinaryIO

from subscribers.importing.reading.column_mapping import guess_target

_DELIMITERS = "\t;,"


@dataclass(frozen=True)
class TypedPeople:
    """The lines as a CSV file. ``has_own_header``: the first line names the columns; otherwise a header was added."""

    file: BinaryIO
    has_own_header: bool


def read_typed_people(text: str) -> TypedPeople:
    """Return the lines as a file. Unless the first line names a column of addresses, it is a person like the others.

    A line is a row of a spreadsheet, an address with a name behind or before it, or ``Name <address>``. Empty lines stay,
    so that lines keep their numbers.
    """
    rows = [_split(line) for line in text.strip().splitlines()]
    has_own_header = any(guess_target(cell) == "email" for cell in rows[0]) if rows else False
    if not has_own_header:
        rows.insert(0, _name_columns(rows))
    written = io.StringIO(newline="")
    csv.writer(written).writerows(rows)
    return TypedPeople(io.BytesIO(written.getvalue().encode()), has_own_header)


def _split(line: str) -> list[str]:
    name, address = parseaddr(line)
    if "<" in line and "@" in address:
        return [address, name]
    delimiter = next((mark for mark in _DELIMITERS if mark in line), ",")
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]


def _name_columns(rows: list[list[str]]) -> list[str]:
    """Return a header: the column of the first address, a name in the first other column, and numbers for the rest."""
    names = [f"column {number}" for number in range(1, max(map(len, rows), default=1) + 1)]
    email = next((at for row in rows for at, cell in enumerate(row) if "@" in cell), 0)
    names[email] = "email"
    name_column = next((at for at in range(len(names)) if at != email), None)
    if name_column is not None:
        names[name_column] = "name"
    return names
