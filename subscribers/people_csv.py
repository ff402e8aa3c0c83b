"""PURE. Reads a CSV file of people as a stream: encoding, delimiter, columns, one checked row at a time.

It looks nothing up in the database; places and topics stay the texts that they are. Postcodes are dropped here.
"""

import codecs
import contextlib
import csv
import io
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO
from zoneinfo import available_timezones

from subscribers.addresses import normalise
from subscribers.errors import BadAddress, DomainError
from subscribers.lines import clean_line, unguard_cell

COLUMNS = ("email", "name", "country", "region", "city", "language", "topics", "giving", "timezone", "source")
PASSED_OVER = ("postcode", "lists")
MOST_BYTES = 200 * 1024 * 1024
MOST_ROWS = 2_000_000
MOST_FIELD = 10_000
_BLOCK = 1 << 20
_OTHER_NAMES = {
    "e-mail": "email",
    "email address": "email",
    "e-mail address": "email",
    "town": "city",
    "zip": "postcode",
}
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8}){0,3}", re.I)
_GIVING = {"none", "donor", "monthly"}
_TOPIC_SPLIT = re.compile(r"[;|,]")
_KEPT_OF_A_BAD_LINE = 500


class BadFile(DomainError):
    """The whole file cannot be imported."""


@dataclass(frozen=True)
class PersonRow:
    """One good line. Texts are clean and may be empty; `notes` say what was left out of the line, and why."""

    line: int
    email: str
    name: str = ""
    country: str = ""
    region: str = ""
    city: str = ""
    language: str = ""
    topics: tuple[str, ...] = ()
    giving: str = ""
    timezone: str = ""
    source: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class RefusedRow:
    """One line that is not imported, as it was (cut to 500 characters)."""

    line: int
    raw: str
    reason: str


@dataclass
class PeopleFile:
    """An opened file: what was detected, and its rows, once."""

    encoding: str
    delimiter: str
    ignored_columns: list[str]
    rows: Iterator[PersonRow | RefusedRow] = field(repr=False)


class _Borrowed(io.TextIOWrapper):
    """Text of a file that stays the caller's: letting go of the text leaves the file open."""

    def close(self) -> None:
        with contextlib.suppress(ValueError):
            self.detach()


def open_people(file: BinaryIO) -> PeopleFile:
    """Looks at a file and returns its rows as a stream; closing the file is left to the caller.

    Raises `BadFile` when there is nothing to be read from it.
    """
    source = _seekable(file)
    encoding = _detect_encoding(source)
    reader = _Borrowed if source is file else io.TextIOWrapper
    text = reader(source, encoding=encoding, errors="replace", newline="")
    header_line = text.readline().lstrip("\ufeff")
    if not header_line.strip():
        raise BadFile("The file is empty. Its first line must name the columns, such as: email,name,country,city")
    delimiter = max(",;\t", key=header_line.count)
    header = [_column(name) for name in next(csv.reader([header_line], delimiter=delimiter))]
    if "email" not in header:
        raise BadFile(
            f"No column is called “email”. The columns are: {', '.join(header)[:300]}. "
            "Rename the one that holds the addresses."
        )
    twice = {name for name in header if name in COLUMNS and header.count(name) > 1}
    if twice:
        raise BadFile(f"The column “{min(twice)}” is there more than once. Remove or rename one of them.")
    ignored = [name for name in header if name and name not in COLUMNS and name not in PASSED_OVER]
    return PeopleFile(encoding, delimiter, ignored, _rows(text, header=header, delimiter=delimiter))


def _seekable(file: BinaryIO) -> BinaryIO:
    if not file.seekable():
        copy = tempfile.SpooledTemporaryFile(max_size=8 * _BLOCK)  # noqa: SIM115  lives as long as its rows are read
        size = 0
        while block := file.read(_BLOCK):
            size += len(block)
            _check_size(size)
            copy.write(block)
        copy.seek(0)
        return copy  # type: ignore[return-value]
    start = file.tell()
    size = file.seek(0, io.SEEK_END) - start
    file.seek(start)
    _check_size(size)
    return file


def _check_size(size: int) -> None:
    if size > MOST_BYTES:
        raise BadFile(f"The file is larger than {MOST_BYTES // 1024 // 1024} MiB. Split it and import the parts.")


def _detect_encoding(file: BinaryIO) -> str:
    start = file.tell()
    head = file.read(4096)
    file.seek(start)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head and head.count(0) > len(head) // 4:
        return "utf-16-le" if head[1:2] == b"\0" else "utf-16-be"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while block := file.read(_BLOCK):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    finally:
        file.seek(start)
    return "utf-8"


def _column(name: str) -> str:
    plain = clean_line(unguard_cell(name), most=100).lower()
    return _OTHER_NAMES.get(plain, plain)


def _rows(text: io.TextIOWrapper, *, header: list[str], delimiter: str) -> Iterator[PersonRow | RefusedRow]:
    zones = available_timezones()
    reader = csv.reader(text, delimiter=delimiter)
    for _ in range(MOST_ROWS + 1):
        line = reader.line_num + 2
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield RefusedRow(line, "", "This line cannot be read: a quotation mark is probably missing.")
            continue
        if not any(cell.strip() for cell in cells):
            continue
        yield _read_row(cells, header=header, line=line, zones=zones)
    raise BadFile(f"The file has more than {MOST_ROWS:,} lines. Split it; what came before this line was imported.")


def _read_row(cells: list[str], *, header: list[str], line: int, zones: set[str]) -> PersonRow | RefusedRow:
    raw = ",".join(cells)[:_KEPT_OF_A_BAD_LINE]
    if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
        return RefusedRow(
            line,
            raw,
            f"This line has {len(cells)} values but the file has {len(header)} columns. Quote values with commas.",
        )
    if any(len(cell) > MOST_FIELD for cell in cells):
        return RefusedRow(line, raw, f"A value is longer than {MOST_FIELD:,} characters.")
    values = {name: unguard_cell(cell) for name, cell in zip(header, cells, strict=False) if name in COLUMNS}
    try:
        email = normalise(values.get("email", ""))
    except BadAddress as error:
        return RefusedRow(line, raw, str(error))
    notes: list[str] = []
    return PersonRow(
        line=line,
        email=email,
        name=clean_line(values.get("name", ""), most=200),
        country=clean_line(values.get("country", ""), most=100),
        region=clean_line(values.get("region", ""), most=100),
        city=clean_line(values.get("city", ""), most=120),
        language=_language(values.get("language", ""), notes),
        topics=tuple(part.strip() for part in _TOPIC_SPLIT.split(values.get("topics", "")) if part.strip()),
        giving=_giving(values.get("giving", ""), notes),
        timezone=_timezone(values.get("timezone", ""), zones, notes),
        source=clean_line(values.get("source", ""), most=120),
        notes=tuple(notes),
    )


def _language(text: str, notes: list[str]) -> str:
    code = text.strip().replace("_", "-")
    if not code or (_LANGUAGE.fullmatch(code) and len(code) <= 16):
        return code
    notes.append(f"“{code[:40]}” is not a language code such as en or pt-BR; left out.")
    return ""


def _giving(text: str, notes: list[str]) -> str:
    word = text.strip().lower()
    if not word or word in _GIVING:
        return word
    notes.append(f"“{word[:40]}” is not one of none, donor, monthly; left out.")
    return ""


def _timezone(text: str, zones: set[str], notes: list[str]) -> str:
    zone = text.strip()
    if not zone or zone in zones:
        return zone
    notes.append(f"“{zone[:40]}” is not a time zone such as Europe/London; left out.")
    return ""
