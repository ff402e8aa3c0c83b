"""The stored statements of migrations create the tests' PostgreSQL without running the migrations."""

import pytest

from tests.support.migration_statements import is_change


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE one (id integer)",
        "INSERT INTO one VALUES (1)",
        "SET CONSTRAINTS one_fk IMMEDIATE; ALTER TABLE one DROP CONSTRAINT one_fk",
        """SELECT setval(pg_get_serial_sequence('"one"', 'id'), 1)""",
    ],
)
def test_a_statement_that_changes_the_database_is_repeated(statement: str) -> None:
    assert is_change(statement)


@pytest.mark.parametrize(
    "statement", ["SELECT 1", "  SELECT name FROM one", 'SAVEPOINT "s1"', 'RELEASE SAVEPOINT "s1"', "LOCK TABLE one"]
)
def test_a_question_or_a_part_of_a_transaction_is_not_repeated(statement: str) -> None:
    assert not is_change(statement)
