"""Create the tables of a new SQLite database at once, from what the migrations make. Running them all takes half a minute.

`python -m scripts.schema_snapshot` writes the file; a test compares it with the migrations.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder

from newsletter.common.database.missing_migrations import list_installed_migrations

SNAPSHOT = Path(__file__).with_name("schema_snapshot.sql")


class _OtherMigrations(Exception):
    """The installed libraries do not have the migrations that the snapshot was made by."""


def load_snapshot(connection: BaseDatabaseWrapper, *, snapshot: Path = SNAPSHOT) -> bool:
    """Create all tables if this is an SQLite database without any. Return True if it was.

    Change nothing if the installed libraries lack a migration of the snapshot: the migrations have to run then.
    """
    if connection.vendor != "sqlite":
        return False
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            if connection.introspection.table_names(cursor):
                return False
            for statement in _split(snapshot.read_text(encoding="utf-8")):
                cursor.execute(statement)
            if not MigrationRecorder(connection).applied_migrations().keys() <= list_installed_migrations():
                raise _OtherMigrations
    except _OtherMigrations:
        return False
    return True


def _split(script: str) -> Iterator[str]:
    """Return each statement. A trigger contains several, so SQLite itself says where one ends."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
