"""Cells that a spreadsheet would run are escaped in exports and read back unchanged."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.common.text import clean_line, escape_csv_cell, unescape_csv_cell


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠", "  =", '"=', "'="]
)
@pytest.mark.requirement("D1")
def test_cells_that_begin_like_a_formula_are_defused(start: str) -> None:
    assert escape_csv_cell(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize("text", ["", "Ada", "o'neil@example.org", "'tis", "a=b"])
@pytest.mark.requirement("D1")
def test_other_cells_are_unchanged(text: str) -> None:
    assert escape_csv_cell(text) == text


@pytest.mark.parametrize(
    ("text", "guarded"),
    [
        ("Lee;=1+1", "Lee;'=1+1"),
        ('Lee; "=1+1', "Lee;' \"=1+1"),
        ("Lee\t@SUM(A1)", "Lee\t'@SUM(A1)"),
        ("Lee\n-1", "Lee\n'-1"),
        ("Lee\r\n+1", "Lee\r'\n'+1"),
        ("a;b;-c;＝d", "a;b;'-c;'＝d"),
        (";\t=1", ";'\t'=1"),
    ],
)
@pytest.mark.requirement("D1")
def test_cells_for_programs_that_separate_otherwise_are_defused(text: str, guarded: str) -> None:
    assert escape_csv_cell(text) == guarded
    assert unescape_csv_cell(guarded) == text


@pytest.mark.parametrize("separator", [";", "\t"])
@given(text=st.text(alphabet="'=+-@ \"ab\t;\n\r", max_size=12))
@pytest.mark.requirement("D1")
def test_no_cell_of_a_file_read_with_another_separator_is_a_formula(separator: str, text: str) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\r\n").writerow(["ada@example.org", escape_csv_cell(text)])
    for line in re.split(r"[\r\n]+", file.getvalue()):
        for cell in line.split(separator):
            assert not re.match(r"""[ "]*[=+\-@]""", cell), (text, cell)


@given(st.text(alphabet="'=+-@ \"ab\t;\n\r＝", max_size=12))
@pytest.mark.requirement("D1")
def test_guarding_is_undone_exactly(text: str) -> None:
    assert unescape_csv_cell(escape_csv_cell(text)) == text


@pytest.mark.parametrize(
    ("typed", "clean"),
    [
        ("  Ada\r\n  Lee ", "Ada Lee"),
        ("Ada\x00\x1b[31m", "Ada[31m"),
        ("\u202eeeL adA", "eeL adA"),
        ("Zoe\u0308", "Zo\u00eb"),
        ("x" * 300, "x" * 200),
        ("نور‌علی", "نور‌علی"),
    ],
)
def test_names_become_one_clean_line(typed: str, clean: str) -> None:
    assert clean_line(typed, max_length=200) == clean
