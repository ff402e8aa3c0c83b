"""D1: text that a spreadsheet would run is defused in exports, and comes back unchanged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.lines import clean_line, guard_cell, unguard_cell


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠", "  =", '"=', "'="]
)
def test_d1_cells_that_begin_like_a_formula_are_defused(start: str) -> None:
    assert guard_cell(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize("text", ["", "Ada", "o'neil@example.org", "'tis", "a=b"])
def test_d1_other_cells_are_left_alone(text: str) -> None:
    assert guard_cell(text) == text


@given(st.text(alphabet="'=+-@ \"ab\t", max_size=8))
def test_d1_guarding_is_undone_exactly(text: str) -> None:
    assert unguard_cell(guard_cell(text)) == text


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
    assert clean_line(typed, most=200) == clean
