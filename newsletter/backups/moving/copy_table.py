"""Copy one table from SQLite to the connected PostgreSQL database, and read it back to compare counts and content."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import DataError, IntegrityError, connection
from psycopg import sql

from newsletter.backups.errors import BackupError
from newsletter.backups.moving.sqlite_values import TableHash, find_converter

_AT_ONCE = 2_000
_READ_AS = {"jsonb": "{}::text", "inet": "host({})"}  # an address as text has its netmask
_COLUMNS = (
    "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = current_schema()"
    " AND table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position"
)


@dataclass(frozen=True)
class Table:
    """A table with its columns, their PostgreSQL types, and the columns of its key, by which both sides are read."""

    name: str
    columns: list[str]
    types: list[str]
    key: list[str]


def describe_table(name: str, *, source: sqlite3.Connection) -> Table:
    """Raise BackupError if the two databases do not have the same columns."""
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS, [name])
        described = cursor.fetchall()
    columns_info = source.execute(f'PRAGMA table_xinfo("{name}")').fetchall()
    there = {column for _, column, _, _, _, _, hidden in columns_info if not hidden}
    columns = [column for column, _ in described]
    if there != set(columns):
        raise BackupError(
            f"The table {name} has other columns in SQLite than in PostgreSQL ({', '.join(sorted(there ^ set(columns)))}). "
            "Nothing was moved. Run `newsletter migrate`, then run this again."
        )
    key = [column for _, column, _, _, _, place, _ in sorted(columns_info, key=lambda row: row[5]) if place]
    return Table(name, columns, [data_type for _, data_type in described], key)


def copy_table(table: Table, *, source: sqlite3.Connection) -> int:
    """Copy all rows and return their number.

    Raise BackupError if PostgreSQL refuses a row or then has others, and Django's errors if the connection is lost.
    """
    sent = TableHash(table.types)
    insert = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), _names(table.columns))
    row: Sequence[object] = ()
    try:
        with connection.wrap_database_errors, connection.connection.cursor() as cursor, cursor.copy(insert) as copy:
            for row in _read_source(table, source):
                sent.add(row)
                copy.write_row(row)
    except (DataError, IntegrityError, ValueError) as error:
        raise _refused(table, row, error) from error
    stored = TableHash(table.types)
    for row in _read_target(table):
        stored.add(row)
    if stored.rows != sent.rows:
        raise BackupError(f"Of {sent.rows} rows of {table.name}, {stored.rows} arrived. Nothing was moved.")
    if stored.hexdigest() != sent.hexdigest():
        raise BackupError(
            f"PostgreSQL keeps other content in {table.name} than SQLite. Nothing was moved. Please report this."
        )
    return sent.rows


def _read_source(table: Table, source: sqlite3.Connection) -> Iterator[list[object]]:
    converters = [find_converter(data_type) for data_type in table.types]
    cursor = source.execute(
        "SELECT {} FROM {} ORDER BY {}".format(  # noqa: S608
            ", ".join(f'"{name}"' for name in table.columns),
            f'"{table.name}"',
            ", ".join(f'"{name}"' for name in table.key) or "rowid",
        )
    )
    for values in cursor:
        yield [convert(value) for convert, value in zip(converters, values, strict=True)]


def _read_target(table: Table) -> Iterator[list[object]]:
    """Read the rows as SQLite has them: JSON and addresses as text, in the order of the bytes of text keys."""
    types = dict(zip(table.columns, table.types, strict=True))
    columns = sql.SQL(", ").join(
        sql.SQL(_READ_AS.get(types[name], "{}")).format(sql.Identifier(name)) for name in table.columns
    )
    order = sql.SQL(", ").join(
        sql.SQL('{} COLLATE "C"').format(sql.Identifier(name)) if _is_text(types[name]) else sql.Identifier(name)
        for name in table.key
    )
    query = sql.SQL("SELECT {} FROM {} ORDER BY {}").format(columns, sql.Identifier(table.name), order)
    converters = [find_converter(data_type) for data_type in table.types]
    with connection.wrap_database_errors:
        cursor: psycopg.ServerCursor[Any] = connection.connection.cursor(name="newsletter_move")
        with cursor:
            cursor.itersize = _AT_ONCE
            cursor.execute(query)
            for values in cursor:
                yield [convert(value) for convert, value in zip(converters, values, strict=True)]


def _is_text(data_type: str) -> bool:
    return data_type in ("text", "character varying")


def _names(columns: list[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _refused(table: Table, row: Sequence[object], error: Exception) -> BackupError:
    """Name the row by its key, never by its content."""
    key = ", ".join(str(row[table.columns.index(name)]) for name in table.key) if row else "unknown"
    refused = error.__cause__
    cause = refused.diag.message_primary if isinstance(refused, psycopg.Error) else "a value is of another type"
    return BackupError(
        f"PostgreSQL cannot hold a row of {table.name}, near {', '.join(table.key)} {key}: {cause}. Nothing was moved. "
        "Correct that row, then run this again."
    )
