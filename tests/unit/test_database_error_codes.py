"""An error of the database is recognised by its code: PostgreSQL writes its texts in the language of its server."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from django.db import DatabaseError, OperationalError, ProgrammingError

from newsletter.management.base import explain_database_error
from newsletter.providers.base.transport import describe_error
from subscribers.segments import query_limits


def wrap(cause: Exception, kind: type[DatabaseError] = OperationalError) -> DatabaseError:
    """Return Django's error with the driver's as its cause."""
    error = kind(str(cause))
    error.__cause__ = cause
    return error


@contextmanager
def no_limit(milliseconds: int) -> Iterator[None]:
    yield


def test_a_spanish_server_stops_a_slow_query_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_limits, "_sqlite_time_limit", no_limit)
    canceled = psycopg.errors.QueryCanceled("cancelando la sentencia: se agotó el tiempo de espera")
    with pytest.raises(query_limits.QueryTimeout), query_limits.query_time_limit(50):
        raise wrap(canceled)


@pytest.mark.parametrize("missing", [psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn])
def test_a_spanish_server_without_our_tables_is_not_prepared(missing: type[psycopg.Error]) -> None:
    line = explain_database_error(wrap(missing("no existe la relación “newsletter_issue”"), ProgrammingError))
    assert line.startswith("The database is not prepared for this version (")
    assert line.endswith("Run: newsletter migrate")


def test_a_refused_password_is_not_taken_for_missing_tables() -> None:
    line = explain_database_error(wrap(psycopg.OperationalError('role "newsletter" does not exist')))
    assert line.startswith("The database cannot be used: ")


def test_a_sqlite_file_in_use_is_said_to_be_busy(tmp_path: Path) -> None:
    file = tmp_path / "busy.sqlite3"
    with closing(sqlite3.connect(file)) as first, closing(sqlite3.connect(file, timeout=0)) as second:
        first.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError) as refused:
            second.execute("BEGIN IMMEDIATE")
    assert explain_database_error(wrap(refused.value)).startswith("The database is busy with another command.")


def test_a_table_whose_name_says_locked_is_not_a_busy_database(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "new.sqlite3")) as new, pytest.raises(sqlite3.OperationalError) as refused:
        new.execute("SELECT 1 FROM one WHERE locked = two)")
    assert "busy" not in explain_database_error(wrap(refused.value))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConnectionRefusedError(111, "Conexión rehusada"), "it refused the connection"),
        (ConnectionResetError(104, "Conexión reinicializada"), "it closed the connection without an answer"),
        (TimeoutError(110, "Expiró el tiempo de conexión"), "it did not answer in time"),
        (OSError(101, "La red es inaccesible; refused"), "the connection failed (OSError)"),
    ],
)
def test_the_cause_of_a_failed_call_is_told_by_its_kind(error: OSError, said: str) -> None:
    assert str(describe_error(error)) == said
