"""A workbook whose XML defines entities, or is damaged, is refused with one message: nothing is expanded or fetched."""

import io
import zipfile

import openpyxl
import pytest

from subscribers.importing.reading.errors import BadFile
from subscribers.importing.reading.spreadsheet import convert_workbook_to_csv

PARTS = ["_rels/.rels", "xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml", "[Content_Types].xml"]
BOMB = "".join(f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' for level in range(1, 12))
DEFINITIONS = {
    "bomb": f'<!DOCTYPE a [<!ENTITY e0 "ha">{BOMB}]>',
    "file": '<!DOCTYPE a [<!ENTITY e11 SYSTEM "file:///etc/hostname">]>',
    "address": '<!DOCTYPE a [<!ENTITY e11 SYSTEM "http://127.0.0.1:9/">]>',
    "parameter": '<!DOCTYPE a [<!ENTITY % e11 SYSTEM "http://127.0.0.1:9/"> %e11;]>',
    "external": '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/">',
}


def make_workbook(part: str, *, definition: str = "", use: str = "", encoding: str = "utf-8") -> io.BytesIO:
    """Return a workbook with one person, one part of which begins with this definition and uses it in its texts."""
    book, made, changed = openpyxl.Workbook(), io.BytesIO(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Email", "Name"])
    sheet.append(["ann@example.org", "Ann"])
    book.save(made)
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            text = old.read(name).decode()
            if name == part:
                _, _, root = text.rpartition("?>")
                text = f'<?xml version="1.0" encoding="{encoding}"?>{definition}' + root.replace("Ann", use or "Ann")
            new.writestr(name, text.encode(encoding if name == part else "utf-8"))
    changed.seek(0)
    return changed


def test_a_plain_workbook_is_read() -> None:
    with convert_workbook_to_csv(make_workbook("")) as text:
        assert text.read() == b"Email,Name\nann@example.org,Ann\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", DEFINITIONS)
def test_a_workbook_that_defines_entities_is_refused(kind: str, part: str, encoding: str) -> None:
    file = make_workbook(part, definition=DEFINITIONS[kind], use="&e11;", encoding=encoding)
    with pytest.raises(BadFile, match="The workbook cannot be read"):
        convert_workbook_to_csv(file)


@pytest.mark.parametrize("part", PARTS[1:])
def test_a_workbook_with_damaged_xml_is_refused(part: str) -> None:
    with pytest.raises(BadFile, match="The workbook cannot be read"):
        convert_workbook_to_csv(make_workbook(part, definition="<a><b></a>"))
