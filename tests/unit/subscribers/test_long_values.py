"""A name, source or town of an import that is too long is noted on its line, and no town is guessed from its beginning."""

import io
import json

import pytest

from subscribers.importing.reading.parsed_rows import ImportTerms, PersonRow
from subscribers.importing.reading.people_file import inspect_file, open_csv, read_people
from subscribers.people.locations import locate

LONG_TOWN = f"Paris, {'behind the old railway station, ' * 4}Lamar County, Texas"


def read(text: str) -> PersonRow:
    with open_csv(io.BytesIO(text.encode())) as source:
        detected = inspect_file(source)
        (row,) = read_people(source, detected=detected, mapping=detected.guess(), terms=ImportTerms())
    assert isinstance(row, PersonRow)
    return row


def test_a_town_is_read_to_the_end_of_its_text() -> None:
    assert 120 < len(LONG_TOWN) < 200
    assert locate(town=LONG_TOWN).region != "FR-IDF"
    assert locate(town=LONG_TOWN).country == "US"
    assert read(f'email,city\nada@example.org,"{LONG_TOWN}"\n').city == LONG_TOWN


@pytest.mark.parametrize("home", ["", "FR"])
def test_a_town_that_is_too_long_is_left_out_with_a_note(home: str) -> None:
    found = locate(town="Paris, " + "x" * 200, home=home)
    assert found.note == "The town has 207 characters. The limit is 200. It was left out."
    assert (found.country, found.town) == (home, "")
    assert locate(town="x" * 201, country="Nowhere").note.startswith("The town has 201 characters.")
    assert "is not a country" in locate(town="x" * 201, country="Nowhere").note


@pytest.mark.parametrize(
    ("column", "limit", "kept", "note"),
    [
        ("city", 200, "", "The town has 201 characters. The limit is 200. It was left out."),
        ("source", 120, "x" * 120, "The source has 121 characters. It was cut to 120."),
        ("name", 200, "x" * 200, "The name has 201 characters. It was cut to 200."),
    ],
)
def test_a_line_notes_a_value_that_is_too_long(column: str, limit: int, kept: str, note: str) -> None:
    row = read(f"email,{column}\nada@example.org,{'x' * (limit + 1)}\n")
    assert getattr(row, column) == kept
    assert row.notes == (note,)
    assert read(f"email,{column}\nada@example.org,{'x' * limit}\n").notes == ()


def test_a_full_name_of_two_long_parts_is_noted() -> None:
    row = read(f"email,first name,last name\nada@example.org,{'x' * 150},{'y' * 60}\n")
    assert row.name == f"{'x' * 150} {'y' * 49}"
    assert row.notes == ("The name has 211 characters. It was cut to 200.",)


def test_a_town_inside_the_attributes_is_noted_too() -> None:
    packed = json.dumps({"city": "x" * 201}).replace('"', '""')
    row = read(f'email,attributes\nada@example.org,"{packed}"\n')
    assert row.city == ""
    assert row.notes == ("The town has 201 characters. The limit is 200. It was left out.",)
