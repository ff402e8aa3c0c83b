"""The long run through restores and a move counts the rows of all tables but a few named ones."""

import re
from pathlib import Path

import pytest

from tests.soak.moves import NOT_KEPT, list_counted

SNAPSHOT = Path(__file__).parents[2] / "newsletter" / "management" / "schema_snapshot.sql"
TABLES = set(re.findall(r'CREATE (?:VIRTUAL )?TABLE "?(\w+)', SNAPSHOT.read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", ["taggit_tag", "socialaccount_socialaccount", "usersessions_usersession"])
def test_the_tables_of_every_library_are_counted(name: str) -> None:
    assert name in TABLES & set(list_counted(TABLES))


@pytest.mark.parametrize("prefix", [prefix for prefix in NOT_KEPT if prefix != "sqlite_"])
def test_each_name_that_is_left_out_is_that_of_a_table(prefix: str) -> None:
    assert any(name.startswith(prefix) for name in TABLES - set(list_counted(TABLES)))
