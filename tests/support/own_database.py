"""The test process's own database: a copy of the migrated one, and the same again after each test that committed.

Django truncates every table and makes permissions and content types again: a fifth of a second a test on PostgreSQL, and
what other migrations wrote is gone. Here only tables that have rows are emptied, and those rows come back.
"""

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from django.db import connection, transaction
from django.test import TestCase

from tests.support.migrated_database import SERVER, find_migrated, find_migrated_sqlite, server_url
from tests.support.processes import connect, drop_database, maintenance_url

UNCHANGED = {"auth_permission", "django_content_type", "django_migrations"}  # by any test
_COPY = "as_migrated_"
_SEQUENCES = "sqlite_sequence"
"""SQLite's own table of the last key of each table."""
_FIRST_KEYS = f"{_COPY}first_keys"
_CACHED_STATEMENTS = 512
"""`stored_rows` reads each table by a statement of its own: more than the 128 that Python's driver keeps prepared."""
_KEYS_BETWEEN = 1_000
"""On PostgreSQL, the first keys of two tables differ by so many, so that a test fails if it takes one for the other."""


def copy_migrated(folder: Path) -> Callable[[], None]:
    """Connect Django to a new copy of the migrated database. Return a function that removes the copy."""
    if SERVER:
        name = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{time.monotonic_ns()}"
        with connect(maintenance_url(SERVER)) as server:
            server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{urlsplit(find_migrated(folder)).path[1:]}"')
        _use(name)

        def remove() -> None:
            connection.close()
            drop_database(server_url(name))

        return remove
    usual = connection.settings_dict["OPTIONS"]
    connection.settings_dict["OPTIONS"] = {**usual, "cached_statements": _CACHED_STATEMENTS}
    _use("file:memorydb_default?mode=memory&cache=shared")
    connection.ensure_connection()
    with closing(sqlite3.connect(find_migrated_sqlite(folder))) as migrated:
        migrated.backup(connection.connection)
    return connection.connection.close


def _use(name: str) -> None:
    connection.close()
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name


def keep_migrated_rows() -> None:
    """Copies what migrations wrote, once for a new database."""
    with transaction.atomic(), connection.cursor() as cursor:
        for name in find_filled():
            cursor.execute(f"CREATE TABLE {_COPY}{name} AS SELECT * FROM {name}")
        if connection.vendor == "sqlite":
            cursor.execute(f"CREATE TABLE {_COPY}{_SEQUENCES} AS SELECT * FROM {_SEQUENCES}")
        else:
            cursor.execute(
                f"CREATE TABLE {_FIRST_KEYS} AS SELECT sequencename AS name, coalesce(last_value, 0)"
                f" + {_KEYS_BETWEEN} * row_number() OVER (ORDER BY sequencename) AS key FROM pg_sequences"
            )
            cursor.execute(f"SELECT setval(quote_ident(name)::regclass, key, false) FROM {_FIRST_KEYS}")
    _kept.cache_clear()


def empty_tables(_test_case: Any = None) -> None:
    """In place of `TransactionTestCase._fixture_teardown`."""
    statements = [f"DELETE FROM {name}" for name in find_filled()]
    statements += [f"INSERT INTO {name} SELECT * FROM {_COPY}{name}" for name in _kept()]
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role TO replica")  # the staff log's trigger forbids deletion
            cursor.execute("; ".join(statements))
        else:
            # The next test's rows get the keys that `repeat_rows` knows.
            keys = [f"DELETE FROM {_SEQUENCES}", f"INSERT INTO {_SEQUENCES} SELECT * FROM {_COPY}{_SEQUENCES}"]
            for statement in [*statements, *keys]:
                cursor.execute(statement)
    restart_keys()


def roll_back(test_case: TestCase, *, roll_back: Callable[[TestCase], None] = TestCase._fixture_teardown) -> None:
    """In place of `TestCase._fixture_teardown`: PostgreSQL does not take back the keys that it gave."""
    roll_back(test_case)
    restart_keys()


def restart_keys() -> None:
    """Let every table of PostgreSQL give its first keys again, which `repeat_rows` knows."""
    if connection.vendor == "postgresql" and (used := list_used_keys()):
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT setval(quote_ident(name)::regclass, key, false) FROM {_FIRST_KEYS} WHERE name = ANY(%s::text[])",
                [list(used)],
            )


def list_used_keys() -> dict[str, int]:
    """Return the last key of each table of PostgreSQL that gave one, by its sequence."""
    return dict(ask_prepared("SELECT sequencename, last_value FROM pg_sequences WHERE last_value IS NOT NULL"))


def ask_prepared(query: str) -> list[tuple[Any, ...]]:
    """Return the answer of a query that PostgreSQL plans once. Planning one of all tables takes longer than running it."""
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:  # Django's own cursor prepares nothing
        return cursor.execute(query, prepare=True).fetchall()


def find_filled() -> list[str]:
    """Return the tables that have rows, without those in `UNCHANGED`."""
    query = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in _tables())
    if connection.vendor == "postgresql":
        return [name for (name,) in ask_prepared(query)]
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [name for (name,) in cursor.fetchall()]


@cache
def _tables() -> list[str]:
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return [name for name in names if name not in UNCHANGED]


@cache
def _kept() -> list[str]:
    there = set(connection.introspection.table_names())
    return [name for name in _tables() if f"{_COPY}{name}" in there]
