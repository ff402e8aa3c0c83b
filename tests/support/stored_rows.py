"""Read every row of the test database, and describe what changed as statements that make the same change again.

`repeat_rows` compares and repeats rows by it. A row is compared as the database stores it, without conversion to Python.

`repeat_rows` does not see everything that a builder can depend on. Its key leaves out:

- files in subfolders of the data folder: it reads and writes those in the folder itself;
- the tables in `UNCHANGED`: permissions, content types and migrations, which no test may change;
- the sessions of signed-in people, whose keys are random, and the staff log, whose hashes cover moments;
- the order of moments of this run: they are hidden alike, and those of the recorded call all become one moment, the present.

Do not decorate a builder whose rows depend on one of these.
"""

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from django.apps import apps
from django.db import connection, transaction

from tests.support.migrated_database import SERVER
from tests.support.own_database import UNCHANGED, ask_prepared, find_filled, list_used_keys

Rows = dict[str, dict[Any, tuple[Any, ...]]]
"""The stored values of each row, by table and key."""
Statements = list[tuple[str, list[list[Any]]]]
"""SQL, and the parameters of each of its calls."""
_LEFT_OUT = {*UNCHANGED, "django_session"}
STAFF_LOG = "newsletter_auditentry"
_KEYS = "next keys"
"""The name under which `Rows` has the last key that each table of PostgreSQL gave, if it gave one."""
_STORED_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?(?=\+00)")


class StoredRows(Protocol):
    """The rows of one kind of database."""

    def read(self) -> Rows:
        """Return all rows that tests may change."""

    def list_changes(self, before: Rows) -> Statements:
        """Return statements that make what changed since ``before``."""

    def run(self, statements: Statements) -> None:
        """Run these statements in one transaction."""

    def replace_moments(self, row: Sequence[Any], *, began: str, ended: str, by: str | None) -> list[Any]:
        """Return the stored values with ``by`` instead of each moment between ``began`` and ``ended``."""


def find_stored_rows() -> StoredRows | None:
    """Return the rows of the test process's own database, or None if the test uses another one."""
    if connection.vendor == "sqlite":
        return SqliteRows() if connection.is_in_memory_db() else None
    return PostgresRows() if SERVER else None


@dataclass(frozen=True)
class _Table:
    """``key`` is the position of the primary key."""

    name: str
    columns: tuple[str, ...]
    key: int


@cache
def _list_tables() -> tuple[_Table, ...]:
    return tuple(_find_tables())


def _find_tables() -> Iterator[_Table]:
    for model in apps.get_models(include_auto_created=True):
        name = model._meta.db_table
        if not model._meta.managed or model._meta.proxy or name in _LEFT_OUT:
            continue
        columns = tuple(_list_columns(name))
        if model._meta.pk.column not in columns:  # the table of the search, which triggers fill
            continue
        yield _Table(name, columns, columns.index(model._meta.pk.column))


def _list_columns(table: str) -> list[str]:
    """Return the columns of a table without generated ones."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            return [row[1] for row in cursor.execute(f'PRAGMA table_info("{table}")').fetchall()]
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(quote_ident(%s)) AND attnum > 0"
            " AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
            [table],
        )
        return [name for (name,) in cursor.fetchall()]


class SqliteRows:
    """The rows of SQLite: a tuple of the stored values of the columns."""

    def read(self) -> Rows:
        database = self._connect()
        filled = set(find_filled())
        return {table.name: self._read(table, database) for table in _list_tables() if table.name in filled}

    def list_changes(self, before: Rows) -> Statements:
        statements: Statements = []
        after = self.read()
        for table in _list_tables():
            old, new = before.get(table.name, {}), after.get(table.name, {})
            name, key = f'"{table.name}"', f'"{table.columns[table.key]}"'
            if gone := [[pk] for pk in sorted(old.keys() - new.keys())]:
                statements.append((f"DELETE FROM {name} WHERE {key} = ?", gone))
            if added := [list(new[pk]) for pk in sorted(new.keys() - old.keys())]:
                columns = ", ".join(f'"{column}"' for column in table.columns)
                marks = ", ".join("?" for _ in table.columns)
                statements.append((f"INSERT INTO {name} ({columns}) VALUES ({marks})", added))
            for pk in sorted(new.keys() & old.keys()):
                places = [place for place, value in enumerate(new[pk]) if value != old[pk][place]]
                if places:
                    values = ", ".join(f'"{table.columns[place]}" = ?' for place in places)
                    statements.append(
                        (f"UPDATE {name} SET {values} WHERE {key} = ?", [[*(new[pk][place] for place in places), pk]])
                    )
        return statements

    def run(self, statements: Statements) -> None:
        with transaction.atomic():
            database = self._connect()
            for statement, rows in statements:
                database.executemany(statement, rows)

    def replace_moments(self, row: Sequence[Any], *, began: str, ended: str, by: str | None) -> list[Any]:
        return [by if isinstance(value, str) and began <= value <= ended else value for value in row]

    def _connect(self) -> sqlite3.Connection:
        connection.ensure_connection()
        database: sqlite3.Connection = connection.connection
        return database

    def _read(self, table: _Table, database: sqlite3.Connection) -> dict[Any, tuple[Any, ...]]:
        as_stored = ", ".join(f'+"{column}"' for column in table.columns)  # the driver converts no expression
        return {row[table.key]: row for row in database.execute(f'SELECT {as_stored} FROM "{table.name}"')}


class PostgresRows:
    """The rows of PostgreSQL: the text of the whole row. The keys that the tables give next belong to them."""

    def read(self) -> Rows:
        rows: Rows = defaultdict(dict)
        for table, key, row in ask_prepared(_select_all_rows()):
            rows[table][key] = (row,)
        rows[_KEYS] = {name: (str(key),) for name, key in list_used_keys().items()}
        return dict(rows)

    def list_changes(self, before: Rows) -> Statements:
        after = self.read()
        deleted: Statements = []
        added: Statements = []
        for table in _list_tables():
            old, new = before.get(table.name, {}), after.get(table.name, {})
            changed = sorted(key for key in old.keys() & new.keys() if old[key] != new[key])
            if gone := [*sorted(old.keys() - new.keys()), *changed]:
                key = f'"{table.columns[table.key]}"'
                deleted.append((f'DELETE FROM "{table.name}" WHERE {key}::text = ANY(%s::text[])', [[gone]]))
            if made := [new[key][0] for key in (*sorted(new.keys() - old.keys()), *changed)]:
                added.append((_write_insert(table), [[made]]))
        keys = {name: key for name, (key,) in after[_KEYS].items() if before[_KEYS].get(name) != (key,)}
        move = "SELECT setval(quote_ident(name)::regclass, key::bigint) FROM unnest(%s::text[], %s::text[]) AS moved (name, key)"
        return [*deleted, *added, *([(move, [[list(keys), list(keys.values())]])] if keys else [])]

    def run(self, statements: Statements) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            # What triggers and references did is among the statements, which are not in the order of the references.
            cursor.execute("SET LOCAL session_replication_role TO replica")
            for statement, rows in statements:
                for parameters in rows:
                    cursor.execute(statement, parameters)
            cursor.execute("SET LOCAL session_replication_role TO DEFAULT")

    def replace_moments(self, row: Sequence[Any], *, began: str, ended: str, by: str | None) -> list[Any]:
        def replace(value: Any) -> Any:
            if isinstance(value, list):
                return [replace(each) for each in value]
            return _STORED_MOMENT.sub(lambda found: (by or "") if began <= found[0] <= ended else found[0], value)

        return [replace(value) for value in row]


@cache
def _select_all_rows() -> str:
    return " UNION ALL ".join(
        f"""SELECT '{table.name}', "{table.columns[table.key]}"::text, stored_row::text FROM "{table.name}" stored_row"""
        for table in _list_tables()
    )


def _write_insert(table: _Table) -> str:
    columns = ", ".join(f'"{column}"' for column in table.columns)
    values = ", ".join(f'(given."row")."{column}"' for column in table.columns)
    rows = f'SELECT written::"{table.name}" AS "row" FROM unnest(%s::text[]) AS written OFFSET 0'
    return f'INSERT INTO "{table.name}" ({columns}) SELECT {values} FROM ({rows}) AS given'
