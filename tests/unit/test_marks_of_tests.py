"""Marks decide which command runs a test: one that no command selects would never run."""

from pathlib import Path

TESTS = Path(__file__).parents[1]
RUN_ON_POSTGRESQL = ("crash", "db")
"""The folders that `make test` and `make test-postgres` run on PostgreSQL."""


def test_only_folders_that_run_on_postgresql_have_its_mark() -> None:
    marked = {
        path.relative_to(TESTS).parts[0]
        for path in TESTS.rglob("test_*.py")
        if path != Path(__file__) and "mark.postgres" in path.read_text()
    }
    assert marked <= set(RUN_ON_POSTGRESQL)
