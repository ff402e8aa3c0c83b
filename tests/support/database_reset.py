"""After a test that committed, the database is as migrations left it, in whatever order tests run.

Django truncates every table and makes permissions and content types again: a fifth of a second a test on PostgreSQL, and
what other migrations wrote is gone. Here only tables that have rows are emptied, and those rows come back.
"""

from functools import cache
from typing import Any

from django.db import connection, transaction

_UNCHANGED = {"auth_permission", "django_content_type", "django_migrations"}  # by any test
_COPY = "as_migrated_"


def keep_migrated_rows() -> None:
    """Copies what migrations wrote, once for a new database."""
    with transaction.atomic(), connection.cursor() as cursor:
        for name in _find_filled(cursor):
            cursor.execute(f"CREATE TABLE {_COPY}{name} AS SELECT * FROM {name}")
    _kept.cache_clear()


def empty_tables(_test_case: Any = None) -> None:
    """In place of `TransactionTestCase._fixture_teardown`."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role TO replica")  # the staff log's trigger forbids deletion
        for name in _find_filled(cursor):
            cursor.execute(f"DELETE FROM {name}")
        for name in _kept():
            cursor.execute(f"INSERT INTO {name} SELECT * FROM {_COPY}{name}")


def _find_filled(cursor: Any) -> list[str]:
    cursor.execute(" UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in _tables()))
    return [name for (name,) in cursor.fetchall()]


@cache
def _tables() -> list[str]:
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return [name for name in names if name not in _UNCHANGED]


@cache
def _kept() -> list[str]:
    there = set(connection.introspection.table_names())
    return [name for name in _tables() if f"{_COPY}{name}" in there]
