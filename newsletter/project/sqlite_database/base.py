"""SQLite connections that enter the process's write queue before they ask SQLite for its lock.

A connection has its turn from just before its first write until it is in no transaction any more. The wait for the turn
counts as wait for the lock: `busy_timeout` limits both together. If the turn does not come in time, SQLite is asked once, and its
error is the usual one. `newsletter.common.database.write_queue` says why there is a queue.
"""

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Literal, Self, TypeAlias, TypeVar, overload

from django.db.backends.sqlite3 import base as sqlite

from newsletter.common.database.write_queue import WriteQueue, queue_of_file

_WRITING_PRAGMA = (
    r"(?:\w+\s*\.\s*)?(?:(?:optimize|incremental_vacuum|wal_checkpoint)\b"
    r"|(?:application_id|auto_vacuum|journal_mode|schema_version|user_version)\s*[=(])"
)
_READS = re.compile(
    rf"[\s(]*(?:SELECT|VALUES|PRAGMA(?!\s+{_WRITING_PRAGMA})|EXPLAIN|COMMIT|END|ROLLBACK|SAVEPOINT|RELEASE|ATTACH|DETACH"
    r"|BEGIN(?!\s+(?:IMMEDIATE|EXCLUSIVE)))\b",
    re.IGNORECASE,
)
_BEGINS_WITH_TABLES = re.compile(r"\s*WITH\b", re.IGNORECASE)
_WRITES = re.compile(r"\b(?:INSERT|UPDATE|DELETE|REPLACE)\b(?!\s*\()", re.IGNORECASE)
Value = TypeVar("Value")
Cursor = TypeVar("Cursor", bound=sqlite3.Cursor)
Parameters: TypeAlias = "sqlite3._Parameters"


def is_write(sql: str) -> bool:
    """Return True if a statement takes SQLite's write lock. If that is unclear, it counts as a write."""
    if _BEGINS_WITH_TABLES.match(sql):
        return bool(_WRITES.search(sql))
    return _READS.match(sql) is None


class QueuedConnection(sqlite3.Connection):
    """A connection that writes in its turn. Without a `queue` it is an ordinary one."""

    queue: WriteQueue | None = None
    _has_turn = False
    _may_hold_lock = False  # without a turn, since a write in this transaction

    @overload
    def cursor(self, factory: None = None) -> "QueuedCursor": ...
    @overload
    def cursor(self, factory: Callable[[sqlite3.Connection], Cursor]) -> Cursor: ...
    def cursor(self, factory: Callable[[sqlite3.Connection], sqlite3.Cursor] | None = None) -> sqlite3.Cursor:
        return super().cursor(factory or QueuedCursor)

    def execute(self, sql: str, parameters: Parameters = (), /) -> sqlite3.Cursor:
        return self.cursor().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Parameters], /) -> sqlite3.Cursor:
        return self.cursor().executemany(sql, parameters)

    def executescript(self, sql: str, /) -> sqlite3.Cursor:
        return self.cursor().executescript(sql)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Literal[False]:
        try:
            return super().__exit__(kind, error, traceback)
        finally:
            self.end_turn()

    def commit(self) -> None:
        try:
            super().commit()
        finally:
            self.end_turn()

    def rollback(self) -> None:
        try:
            super().rollback()
        finally:
            self.end_turn()

    def close(self) -> None:
        try:
            super().close()
        finally:
            self.end_turn()

    def run(self, sql: str, execute: Callable[[], Value], *, read_rows: Callable[[], None] | None = None) -> Value:
        """Execute a statement, in this connection's turn if it writes. `read_rows` ends one that SQLite has not committed."""
        if self.queue is None:
            return execute()
        try:
            if self._has_turn or not is_write(sql) or (self._may_hold_lock and self.in_transaction):
                return execute()
            return self._run_in_turn(self.queue, execute, read_rows)
        finally:
            self.end_turn()

    def end_turn(self) -> None:
        """End this connection's turn, if it has one and is in no transaction."""
        if (self._has_turn or self._may_hold_lock) and self.queue is not None and not self._is_in_transaction():
            self._has_turn = self._may_hold_lock = False
            self.queue.end(self)

    def _run_in_turn(
        self, queue: WriteQueue, execute: Callable[[], Value], read_rows: Callable[[], None] | None
    ) -> Value:
        started, limit = monotonic(), self._read_busy_timeout()
        self._may_hold_lock = True  # before the wait, so that `end_turn` ends a turn that an interrupt follows at once
        self._has_turn = queue.enter(self, seconds=limit)
        waited = monotonic() - started
        is_late = waited >= limit / 100
        if is_late:
            self._set_busy_timeout(max(limit - waited, 0))
        try:
            result = execute()
            if read_rows and not self.in_transaction:
                read_rows()
            return result
        finally:
            if is_late:
                self._set_busy_timeout(limit)

    def _is_in_transaction(self) -> bool:
        try:
            return self.in_transaction
        except sqlite3.ProgrammingError:
            return False  # it is closed

    def _read_busy_timeout(self) -> float:
        [(milliseconds,)] = super().cursor().execute("PRAGMA busy_timeout").fetchall()
        return float(milliseconds) / 1000

    def _set_busy_timeout(self, seconds: float) -> None:
        super().cursor().execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")


class QueuedCursor(sqlite3.Cursor):
    """A cursor that reads the rows of a write outside a transaction at once, as SQLite commits it after its last row."""

    connection: QueuedConnection
    _returned: Iterator[object] | None = None

    def execute(self, sql: str, parameters: Parameters = (), /) -> Self:
        self._returned = None
        return self.connection.run(
            sql, lambda: super(QueuedCursor, self).execute(sql, parameters), read_rows=self._read_rows
        )

    def executemany(self, sql: str, parameters: Iterable[Parameters], /) -> Self:
        self._returned = None
        return self.connection.run(sql, lambda: super(QueuedCursor, self).executemany(sql, parameters))

    def executescript(self, sql: str, /) -> sqlite3.Cursor:
        return self.connection.run("", lambda: super(QueuedCursor, self).executescript(sql))

    def __next__(self) -> object:
        return super().__next__() if self._returned is None else next(self._returned)

    def fetchone(self) -> object:
        return super().fetchone() if self._returned is None else next(self._returned, None)

    def fetchmany(self, size: int | None = None) -> list[object]:
        number = self.arraysize if size is None else size
        return super().fetchmany(number) if self._returned is None else list(islice(self._returned, number))

    def fetchall(self) -> list[object]:
        return super().fetchall() if self._returned is None else list(self._returned)

    def close(self) -> None:
        self._returned = None
        super().close()

    def _read_rows(self) -> None:
        if self.description:
            self._returned = iter(super().fetchall())


class DjangoCursor(sqlite.SQLiteCursorWrapper, QueuedCursor):  # type: ignore[misc]  # as Django gives None for no parameters
    """Django's cursor, which turns its parameter marks into SQLite's, on top of ours."""


@contextmanager
def make_no_file() -> Iterator[None]:
    """Let a connection in the block fail if its file is missing, instead of making one."""
    before, DatabaseWrapper.makes_file = DatabaseWrapper.makes_file, False
    try:
        yield
    finally:
        DatabaseWrapper.makes_file = before


class DatabaseWrapper(sqlite.DatabaseWrapper):
    makes_file = True

    def get_connection_params(self) -> dict[str, object]:
        return {"factory": QueuedConnection, **super().get_connection_params()}

    def get_new_connection(self, conn_params: dict[str, object]) -> sqlite3.Connection:
        given = conn_params
        if not self.makes_file and not self.is_in_memory_db():
            given = {**conn_params, "database": f"{Path(str(conn_params['database'])).absolute().as_uri()}?mode=rw"}
        connection: sqlite3.Connection = super().get_new_connection(given)
        if isinstance(connection, QueuedConnection) and not self.is_in_memory_db():
            connection.queue = queue_of_file(str(conn_params["database"]))
        return connection

    def set_autocommit(self, autocommit: bool, force_begin_transaction_with_broken_autocommit: bool = False) -> None:
        super().set_autocommit(autocommit, force_begin_transaction_with_broken_autocommit)
        if isinstance(self.connection, QueuedConnection):
            self.connection.end_turn()  # as Python has committed without a call of `commit`

    def create_cursor(self, name: str | None = None) -> DjangoCursor:
        cursor: DjangoCursor = self.connection.cursor(factory=DjangoCursor)
        return cursor
