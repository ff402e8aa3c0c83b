"""SQLite connections that enter the process's write queue before they ask SQLite for its lock.

A connection has its turn from just before its first write until it is in no transaction any more. The wait for the turn
counts as wait for the lock: `busy_timeout` limits both together. If the turn does not come in time, SQLite is asked once, and its
error is the usual one. `newsletter.common.database.write_queue` says why there is a queue.
"""

import re
import sqlite3
from collections.abc import Callable
from time import monotonic
from typing import Any, TypeVar

from django.db.backends.sqlite3 import base as sqlite

from newsletter.common.database.write_queue import WriteQueue, queue_of_file

_READS = re.compile(
    r"[\s(]*(?:SELECT|VALUES|PRAGMA|EXPLAIN|COMMIT|END|ROLLBACK|SAVEPOINT|RELEASE|ATTACH|DETACH"
    r"|BEGIN(?!\s+(?:IMMEDIATE|EXCLUSIVE)))\b",
    re.IGNORECASE,
)
_BEGINS_WITH_TABLES = re.compile(r"\s*WITH\b", re.IGNORECASE)
_WRITES = re.compile(r"\b(?:INSERT|UPDATE|DELETE|REPLACE)\b", re.IGNORECASE)
Value = TypeVar("Value")


def is_write(sql: str) -> bool:
    """Return True if a statement takes SQLite's write lock. If that cannot be told, it is taken for a write."""
    if _BEGINS_WITH_TABLES.match(sql):
        return bool(_WRITES.search(sql))
    return _READS.match(sql) is None


class QueuedConnection(sqlite3.Connection):
    """A connection that writes in its turn. Without a `queue` it is an ordinary one."""

    queue: WriteQueue | None = None
    _has_turn = False

    def cursor(self, factory: Any = None) -> Any:
        return super().cursor(factory or QueuedCursor)

    def execute(self, sql: str, *parameters: Any) -> Any:
        return self.cursor().execute(sql, *parameters)

    def executemany(self, sql: str, *parameters: Any) -> Any:
        return self.cursor().executemany(sql, *parameters)

    def executescript(self, sql: str) -> Any:
        return self.cursor().executescript(sql)

    def __exit__(self, *error: Any) -> Any:
        try:
            return super().__exit__(*error)
        finally:
            self._end_turn()

    def commit(self) -> None:
        try:
            super().commit()
        finally:
            self._end_turn()

    def rollback(self) -> None:
        try:
            super().rollback()
        finally:
            self._end_turn()

    def close(self) -> None:
        try:
            super().close()
        finally:
            self._end_turn(closed=True)

    def run(self, sql: str, execute: Callable[[], Value]) -> Value:
        """Execute a statement, in this connection's turn if it writes."""
        if self.queue is None or self._has_turn or not is_write(sql):
            return self._execute(execute) if self._has_turn else execute()
        started, limit = monotonic(), self._read_busy_timeout()
        self._has_turn = self.queue.enter(self, seconds=limit)
        waited = monotonic() - started
        if waited < limit / 100:
            return self._execute(execute)
        self._set_busy_timeout(max(limit - waited, 0))
        try:
            return self._execute(execute)
        finally:
            self._set_busy_timeout(limit)

    def _execute(self, execute: Callable[[], Value]) -> Value:
        try:
            return execute()
        finally:
            self._end_turn()

    def _end_turn(self, *, closed: bool = False) -> None:
        if self._has_turn and self.queue is not None and (closed or not self.in_transaction):
            self._has_turn = False
            self.queue.end(self)

    def _read_busy_timeout(self) -> float:
        [(milliseconds,)] = super().cursor().execute("PRAGMA busy_timeout").fetchall()
        return float(milliseconds) / 1000

    def _set_busy_timeout(self, seconds: float) -> None:
        super().cursor().execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")


class QueuedCursor(sqlite3.Cursor):
    connection: QueuedConnection

    def execute(self, sql: str, *parameters: Any) -> Any:
        return self.connection.run(sql, lambda: super(QueuedCursor, self).execute(sql, *parameters))

    def executemany(self, sql: str, *parameters: Any) -> Any:
        return self.connection.run(sql, lambda: super(QueuedCursor, self).executemany(sql, *parameters))

    def executescript(self, sql: str) -> Any:
        return self.connection.run("", lambda: super(QueuedCursor, self).executescript(sql))


class DjangoCursor(sqlite.SQLiteCursorWrapper, QueuedCursor):
    """Django's cursor, which turns its parameter marks into SQLite's, on top of ours."""


class DatabaseWrapper(sqlite.DatabaseWrapper):
    def get_connection_params(self) -> dict[str, Any]:
        return {"factory": QueuedConnection, **super().get_connection_params()}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        if isinstance(connection, QueuedConnection) and not self.is_in_memory_db():
            connection.queue = queue_of_file(str(conn_params["database"]))
        return connection

    def create_cursor(self, name: str | None = None) -> Any:
        return self.connection.cursor(factory=DjangoCursor)
