"""Reading files of people: every encoding, delimiter and mistake is read, or refused with its line."""

import contextlib
import gc
import io
from typing import BinaryIO

import pytest

from subscribers.importing.reading import file_format, people_file
from subscribers.importing.reading.column_mapping import check_mapping, list_unused_columns
from subscribers.importing.reading.errors import BadFile
from subscribers.importing.reading.mapping_proposal import propose_mapping
from subscribers.importing.reading.parsed_rows import ImportTerms, PersonRow, RefusedRow
from subscribers.importing.reading.people_file import inspect_file, open_csv, read_people, sample_file


def read(body: bytes) -> list[PersonRow | RefusedRow]:
    return read_file(io.BytesIO(body))


def read_file(file: BinaryIO) -> list[PersonRow | RefusedRow]:
    with open_csv(file) as source:
        detected = inspect_file(source)
        return list(read_people(source, detected=detected, mapping=detected.guess(), terms=ImportTerms()))


@pytest.mark.parametrize(
    ("encoding", "detected"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("cp1252", "cp1252"),
    ],
)
@pytest.mark.requirement("D2")
def test_encodings_are_detected(encoding: str, detected: str) -> None:
    body = "email,name\nada@example.org,Zoë Šimi\n".encode(encoding)
    assert inspect_file(io.BytesIO(body)).encoding == detected
    assert [row.name for row in read(body) if isinstance(row, PersonRow)] == ["Zoë Šimi"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.requirement("D2")
def test_delimiters_and_line_endings_are_detected(delimiter: str, ending: str) -> None:
    text = ending.join([delimiter.join(["Email", "Name"]), delimiter.join(["ada@example.org", "Ada"]), ""])
    assert [(row.email, row.name) for row in read(text.encode()) if isinstance(row, PersonRow)] == [
        ("ada@example.org", "Ada")
    ]


def test_a_file_that_cannot_be_rewound_is_read_too() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    assert [row.line for row in read_file(Pipe(b"email\nada@example.org\n"))] == [2]


@pytest.mark.parametrize("body", [b"ada@example.org,Ada\nbea@example.org,Bea\n", b"Ada;ada@example.org;GB\n"])
def test_a_file_without_a_header_is_refused(body: bytes) -> None:
    with pytest.raises(BadFile, match="The first line is a person"):
        inspect_file(io.BytesIO(body))


@pytest.mark.parametrize("start", [b"<!DOCTYPE html>\n<html>", b"\xef\xbb\xbf  <html lang='en'>"])
def test_a_web_page_is_refused_with_what_to_do(start: bytes) -> None:
    with pytest.raises(BadFile, match="is a web page, not a list of people"):
        read(start + b"<body>Sign in</body></html>")


@pytest.mark.parametrize("start", [b"\x89PNG\r\n\x1a\n", b"%PDF-1.7\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"{\\rtf1"])
def test_a_picture_or_a_document_is_not_a_list_of_people(start: bytes) -> None:
    with pytest.raises(BadFile, match="an image or a document"):
        inspect_file(io.BytesIO(start + bytes(range(10, 256)) * 3))


def test_the_error_of_a_locked_workbook_names_its_password() -> None:
    workbook = b"\xd0\xcf\x11\xe0" + bytes(2_000_000) + "EncryptedPackage".encode("utf-16-le") + bytes(100)
    with pytest.raises(BadFile, match="protected by a password"):
        inspect_file(io.BytesIO(workbook))
    with pytest.raises(BadFile, match="old Excel format"):
        inspect_file(io.BytesIO(workbook.replace(b"E\0n\0c", b"Workboo")))


def test_a_damaged_workbook_is_not_a_list_of_people() -> None:
    with pytest.raises(BadFile, match="damaged"):
        inspect_file(io.BytesIO(b"PK\x07\x08" + bytes(range(256)) * 40 + b"\n"))


@pytest.mark.parametrize(
    "body", ["email,name\nada@example.org,Ada\x1a", "email\tname\r\nada@example.org\tZo\u00eb\x0c"]
)
def test_a_list_with_a_few_control_characters_is_read(body: str) -> None:
    assert inspect_file(io.BytesIO(body.encode("cp1252"))).header[0] == "email"


@pytest.mark.parametrize("body", [b"email\nada@example.org\n", b"", b"name\nAda\n"], ids=["good", "empty", "no email"])
def test_the_file_stays_open_for_whoever_opened_it(body: bytes) -> None:
    file = io.BytesIO(body)
    with contextlib.suppress(BadFile):
        read_file(file)
    gc.collect()
    assert not file.closed
    file.seek(0)
    assert file.read() == body


def test_the_file_stays_open_after_its_rows_are_read() -> None:
    file = io.BytesIO(b"email\nada@example.org\n")
    assert len(read_file(file)) == 1
    gc.collect()
    assert not file.closed


def test_all_columns_are_read_and_the_postcode_is_dropped() -> None:
    body = (
        b"email,name,country,region,city,postcode,language,topics,giving,timezone,source\n"
        b"ada@example.org,Ada,GB,GB-ENG,London,N1 9GU,pt_BR,events; stories,Donor,Europe/London,fair\n"
    )
    assert read(body) == [
        PersonRow(
            line=2,
            email="ada@example.org",
            name="Ada",
            country="GB",
            region="GB-ENG",
            city="London",
            language="pt-BR",
            topics=("events", "stories"),
            giving="donor",
            timezone="Europe/London",
            source="fair",
        )
    ]


@pytest.mark.parametrize(
    ("country", "postcode", "city"),
    [
        ("GB", "YO21 1RE", "Whitby, England, United Kingdom"),
        ("UK", "tq9 5ae", "Totnes, England, United Kingdom"),
        ("", "EH1 1EW", "Edinburgh, Scotland, United Kingdom"),
        ("US", "77002", "Houston, Texas, United States"),
        ("US", "77002-1234", "Houston, Texas, United States"),
        ("", "77002", ""),
        ("DE", "77002", ""),
        ("US", "YO21 1RE", ""),
        ("GB", "ZZ9 9ZZ", ""),
        ("GB", "12 High Street, YO21 1RE", ""),
        ("Nowhere", "YO21 1RE", ""),
        ("CA", "M5V 2T6", ""),
    ],
)
def test_a_postcode_names_the_town_of_people_who_name_none(country: str, postcode: str, city: str) -> None:
    (row,) = read(f'email,country,postcode\nada@example.org,{country},"{postcode}"\n'.encode())
    assert isinstance(row, PersonRow)
    assert row.city == city


def test_values_that_are_not_understood_are_left_out_and_noted() -> None:
    (row,) = read(b"email,language,giving,timezone\nada@example.org,English!,often,Mars/Base\n")
    assert isinstance(row, PersonRow)
    assert (row.language, row.giving, row.timezone) == ("", "", "")
    assert [note.split("”")[0] for note in row.notes] == ["“English!", "“often", "“Mars/Base"]


def test_unused_columns_are_reported_and_unknown_become_attributes() -> None:
    detected = inspect_file(io.BytesIO(b"email,shoe size,postcode,Phone Number\n"))
    assert detected.guess() == ["email", "attribute:shoe_size", "postcode", ""]
    assert list_unused_columns(detected.header, detected.guess()) == ["phone number"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"ada@", "This email address cannot be mailed"),
        (b",Ada", "The email address is empty"),
        (b"ada@example.org,Ada,Lee", "3 values but the file has 2 columns"),
        (b"ada@example.org," + b"x" * 10_001, "longer than 10,000"),
    ],
)
@pytest.mark.requirement("D2")
def test_bad_lines_are_refused_with_their_number_and_the_next_is_read(line: bytes, says: str) -> None:
    bad, good = read(b"email,name\n" + line + b"\nbea@example.org,Bea\n")
    assert isinstance(bad, RefusedRow)
    assert bad.line == 2
    assert says in bad.reason
    assert isinstance(good, PersonRow)
    assert good.line == 3


def test_rows_are_numbered_as_a_spreadsheet_numbers_them() -> None:
    body = b'email,name\n\nada@example.org,"A\nB"\n,\nbea@example.org,\n'
    assert [row.line for row in read(body)] == [3, 5], "an empty line is a row, and a line break in a cell is none"
    assert [row.line for row in read(b"sep=,\n" + body)] == [3, 5], "Excel hides the line that names the separator"


def test_an_unclosed_quotation_mark_spoils_only_its_own_line() -> None:
    body = b'email,name\nada@example.org,"Ada\n' + b"x" * 140_000 + b"\nbea@example.org,Bea\n"
    rows = read(body)
    assert isinstance(rows[0], RefusedRow)
    assert "quotation mark" in rows[0].reason
    assert [row.email for row in rows if isinstance(row, PersonRow)] == ["bea@example.org"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"address,name\nada@example.org,Ada\n", "No column is called “email”"),
        (b"email,E-mail\n", "more than once"),
    ],
)
def test_files_without_usable_columns_are_refused_whole(body: bytes, says: str) -> None:
    with pytest.raises(BadFile, match=says):
        read(body)


@pytest.mark.requirement("D2")
def test_files_and_rows_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people_file, "MAX_ROWS", 2)
    with pytest.raises(BadFile, match="more than 2 lines"):
        read(b"email\na@example.org\nb@example.org\nc@example.org\n")
    monkeypatch.setattr(file_format, "MAX_FILE_BYTES", 10)
    with pytest.raises(BadFile, match="larger than"):
        read(b"email\nada@example.org\n")


@pytest.mark.parametrize(
    ("body", "mapping"),
    [
        (b"Email,E-mail,Mail\n,ada@example.org,yes\n,bo@example.org,no\n", ["", "email", ""]),
        (b"Email,E-mail\nada@example.org,\nbo@example.org,bo@example.com\n", ["email", ""]),
        (b"Email,E-mail\n", ["email", ""]),
        (b"Mail,Contact\nyes,ada@example.org\nno,bo@example.org\n", ["", "email"]),
        (b"Contact,Name\nada@example.org,Ada\nphone,Bo\nbo@example.org,Bo\n", ["email", "name"]),
        (b"email,name,Full name\nada@example.org,,Ada\n", ["email", "", "name"]),
        (b"email,tags,topics\nada@example.org,a,b\n", ["email", "topics", "topics"]),
    ],
)
def test_the_likely_column_of_each_field_is_proposed(body: bytes, mapping: list[str]) -> None:
    file = io.BytesIO(body)
    detected = inspect_file(file)
    assert propose_mapping(detected.guess(), sample=sample_file(file, detected=detected)) == mapping
    check_mapping(mapping, header=detected.header)


@pytest.mark.parametrize(
    "body",
    [
        b"Email,Status,Email marketing consent\na@example.org,active,unsubscribed\n",
        b"Email,Expires,Consent expires\na@example.org,2027-01-01,2026-01-01\n",
        b"Correo del socio,Correo del gestor\na@example.org,boss@example.org\n",
    ],
)
def test_a_column_that_decides_who_gets_mail_is_not_chosen_for_a_person(body: bytes) -> None:
    file = io.BytesIO(body)
    detected = inspect_file(file)
    with pytest.raises(BadFile):
        check_mapping(
            propose_mapping(detected.guess(), sample=sample_file(file, detected=detected)), header=detected.header
        )
