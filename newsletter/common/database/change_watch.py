"""Find out if anything was written to the database since a moment, without reading a table. Only SQLite can do this."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from threading import Lock

from django.db import DEFAULT_DB_ALIAS, Error, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper


class ChangeWatch:
    """A number that changes with every write of this process and of all others. Any thread may read it.

    SQLite counts for each connection the commits of all other connections (`PRAGMA data_version`). So this watch has its own
    connection, which writes nothing. If another file has the place of the database, the connection is opened again. The
    first number of a new connection is a change.
    """

    def __init__(self) -> None:
        self._connection = connections.create_connection(DEFAULT_DB_ALIAS)
        self._connection.inc_thread_sharing()
        self._lock = Lock()
        self._file: tuple[int, int] | None = None
        self._version: int | None = None
        self._number = 0

    def read(self) -> int | None:
        """Return the number, or None if the database gives none now."""
        with self._lock:
            file = self._find_file()
            if file != self._file:
                self._forget()
            if file is None and "memory" not in str(self._connection.settings_dict["NAME"]):
                return None  # opening it would make an empty file
            try:
                version = _read_version(self._connection)
            except Error:
                self._forget()
                return None
            self._file = file
            if version != self._version:
                self._version = version
                self._number += 1
            return self._number

    @contextmanager
    def ignoring(self, connection: BaseDatabaseWrapper) -> Iterator[None]:
        """Keep the number while this connection writes, unless another connection writes too."""
        # In this order: a write between the two must not be taken for this connection's.
        foreign_version, number = _read_version(connection), self.read()
        yield
        with self._lock:
            if number is None or number != self._number:
                return
            try:
                version = _read_version(self._connection)
            except Error:
                self._forget()
                return
            if _read_version(connection) == foreign_version:
                self._version = version

    def close(self) -> None:
        with self._lock:
            self._forget()

    def _find_file(self) -> tuple[int, int] | None:
        """Return the numbers of the database's file in its file system, or None for a database in memory."""
        try:
            status = os.stat(self._connection.settings_dict["NAME"])
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _forget(self) -> None:
        """Close the connection. The version of the next one cannot be compared with this one's."""
        self._version = self._file = None
        self._connection.close()


_used: ContextVar[ChangeWatch | None] = ContextVar("change_watch", default=None)


def make_change_watch() -> ChangeWatch | None:
    """Return a watch, or None if the database is not SQLite in a file."""
    return ChangeWatch() if connections[DEFAULT_DB_ALIAS].vendor == "sqlite" else None


@contextmanager
def watching(watch: ChangeWatch | None) -> Iterator[None]:
    """Make the watch known to `ending_no_rest` in this thread."""
    used = _used.set(watch)
    try:
        yield
    finally:
        _used.reset(used)


@contextmanager
def ending_no_rest() -> Iterator[None]:
    """Write on this thread's connection what no resting job reads: the watch of the running job keeps its number.

    It changes anyway if another connection writes too, or if the write is committed after the block.
    """
    watch = _used.get()
    with watch.ignoring(connection) if watch else nullcontext():
        yield


def _read_version(connection: BaseDatabaseWrapper) -> int:
    connection.ensure_connection()
    with connection.wrap_database_errors:
        # Past Django's cursor, which takes four times as long: this is asked every second for each job.
        [(version,)] = sqlite3.Cursor(connection.connection).execute("PRAGMA data_version").fetchall()
    return int(version)
