"""CSV records: a missing quotation mark spoils one line, and a quoted record may span several lines."""

import io

import pytest

from subscribers.importing.reading.csv_records import split_records

pytestmark = [pytest.mark.requirement("F13")]


def split(text: str, width: int = 2) -> list[tuple[int, list[str] | None]]:
    lines = iter(io.StringIO(text, newline=""))
    return [
        (record.line, record.cells) for record in split_records(lines, delimiter=",", first=2, width=width, email_at=0)
    ]


def test_a_value_with_line_breaks_and_marks_is_in_one_row() -> None:
    assert split('ann@example.org,"Ann\nLee, ""A"""\nbea@example.org,Bea\n') == [
        (2, ["ann@example.org", 'Ann\nLee, "A"']),
        (3, ["bea@example.org", "Bea"]),
    ]


@pytest.mark.parametrize(
    "after",
    ["bea@example.org,Bea\n", 'bea@example.org,"Bea"\n', 'bea@example.org,"Lee, Bea"\n', "bea@example.org,Bea"],
)
def test_a_mark_that_never_closes_refuses_its_line_and_the_next_is_read(after: str) -> None:
    (bad, cells), (good, person) = split(f'ann@example.org,"Ann\n{after}')
    assert (bad, cells, good) == (2, None, 3)
    assert person is not None
    assert person[0] == "bea@example.org"


def test_many_unclosed_lines_in_a_row_are_refused_one_by_one() -> None:
    assert [line for line, cells in split('a@example.org,"A\n' * 500) if cells is None] == list(range(2, 502))


def test_a_mark_in_the_middle_of_a_value_is_a_mark() -> None:
    assert split('ann@example.org,5" pipe\n') == [(2, ["ann@example.org", '5" pipe'])]


def test_a_mark_that_is_open_at_the_end_of_the_file_refuses_its_line() -> None:
    assert split('ann@example.org,"Ann') == [(2, None)]


def test_an_old_mac_file_ends_its_lines_with_a_carriage_return() -> None:
    assert [line for line, _ in split("ann@example.org,Ann\rbea@example.org,Bea\r")] == [2, 3]
