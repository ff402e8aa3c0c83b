"""Tell whether anything was written to the database since a moment, without reading a table. Only SQLite can tell."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from time import monotonic

from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper


class ChangeWatch:
    """A number that changes with every write of this process and of all others. Any thread may read it.

    SQLite counts for each connection the commits of all other connections (`PRAGMA data_version`). So this watch has a
    connection of its own, which writes nothing. The connection is opened again as often as others, so that a file that
    replaced the database is noticed. The first number of a new connection is a change.
    """

    def __init__(self) -> None:
        self._connection = connections.create_connection(DEFAULT_DB_ALIAS)
        self._connection.inc_thread_sharing()
        self._lock = Lock()
        self._version: int | None = None
        self._number = 0

    def read(self) -> int | None:
        """Return the number, or None if the database cannot tell now."""
        with self._lock:
            try:
                if self._is_old():
                    self._forget()
                version = _read_version(self._connection)
            except Error:
                self._forget()
                return None
            if version != self._version:
                self._version = version
                self._number += 1
            return self._number

    @contextmanager
    def ignoring(self, connection: BaseDatabaseWrapper) -> Iterator[None]:
        """Keep the number while this connection writes, unless another connection writes meanwhile."""
        others, number = _read_version(connection), self.read()
        yield
        with self._lock:
            version = _read_version(self._connection)
            if number == self._number and _read_version(connection) == others:
                self._version = version

    def close(self) -> None:
        with self._lock:
            self._forget()

    def _is_old(self) -> bool:
        """Return True if the connection has outlived `CONN_MAX_AGE`. Django's own method would ask a query at each call."""
        close_at = self._connection.close_at
        return close_at is not None and monotonic() >= close_at

    def _forget(self) -> None:
        """Close the connection. The version of the next one cannot be compared with this one's."""
        self._version = None
        self._connection.close()


def make_change_watch() -> ChangeWatch | None:
    """Return a watch, or None if the database cannot tell."""
    return ChangeWatch() if connections[DEFAULT_DB_ALIAS].vendor == "sqlite" else None


def _read_version(connection: BaseDatabaseWrapper) -> int:
    with connection.cursor() as cursor:
        [(version,)] = cursor.execute("PRAGMA data_version").fetchall()
    return int(version)
