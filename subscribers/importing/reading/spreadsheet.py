"""Convert the first filled sheet of an Excel workbook (.xlsx) to CSV, row by row, so that line numbers stay."""

import csv
import io
import tempfile
import zipfile
from datetime import date, datetime
from typing import BinaryIO, cast
from xml.etree.ElementTree import ParseError

from defusedxml.ElementTree import iterparse
from lxml.etree import XMLSyntaxError

from subscribers.importing.reading.errors import BadFile

MAX_UNPACKED_BYTES = 1 << 30
MAX_SHARED_STRINGS_BYTES = 160 << 20
MAX_CELLS_PER_ROW = 1_000
_READ_ERRORS = (zipfile.BadZipFile, KeyError, ValueError, TypeError, ParseError, XMLSyntaxError, EOFError)


def convert_workbook_to_csv(file: BinaryIO) -> BinaryIO:
    """Return a UTF-8 CSV file of the sheet's values, open at its start; line N is row N. Raises `BadFile`."""
    _check_archive(file)
    try:
        _refuse_definitions(file)
        return _convert(file)
    except _READ_ERRORS as error:
        raise BadFile("The workbook cannot be read. Open it in a spreadsheet program and save it as CSV.") from error


def _convert(file: BinaryIO) -> BinaryIO:
    from openpyxl import load_workbook  # takes megabytes, in a server that seldom reads a workbook

    out = cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=8 << 20))  # noqa: SIM115  the caller reads it
    text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\n")
    try:
        book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        written = 0
        for sheet in book.worksheets:
            sheet.reset_dimensions()
            for row in sheet.iter_rows(values_only=True, max_col=MAX_CELLS_PER_ROW):
                cells = [_format_cell(value) for value in row]
                while cells and not cells[-1]:
                    cells.pop()
                writer.writerow(cells)
                written += bool(cells)
            if written:
                break
            text.seek(0)
            text.truncate()
        book.close()
    except _READ_ERRORS:
        text.close()
        raise
    text.flush()
    text.detach()
    out.seek(0)
    return out


def _check_archive(file: BinaryIO) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
    except zipfile.BadZipFile as error:
        raise BadFile("The file is damaged: it begins like a workbook and is none. Save it again.") from error
    finally:
        file.seek(0)
    names = {part.filename for part in parts}
    if "xl/workbook.xml" not in names:
        raise BadFile("This archive is no Excel workbook. Unpack it and choose the CSV files in it, one by one.")
    shared = sum(part.file_size for part in parts if part.filename.endswith("sharedStrings.xml"))
    if sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES or shared > MAX_SHARED_STRINGS_BYTES:
        raise BadFile("The workbook is too large to be read. Save it as CSV and choose that.")


def _refuse_definitions(file: BinaryIO) -> None:
    """Raise ValueError if a part has a document type, which no workbook has: it may define entities that grow or fetch."""
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            if name.endswith((".xml", ".rels")):
                with archive.open(name) as part:
                    next(iterparse(part, events=("start",), forbid_dtd=True))
    file.seek(0)


def _format_cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds").removesuffix(" 00:00:00")
    if isinstance(value, date):
        return value.isoformat()
    return " ".join(str(value).splitlines())
