"""PostgreSQL connections that wait no longer than `newsletter.common.database.deadlines` allows.

A stalled server, or one whose machine is gone, neither answers nor refuses, so only the client's own clock can end the
wait. The connection is then closed. A healthy server that waits for a locked row is asked to cancel the statement; then
nobody else has to wait.
"""

from collections.abc import Generator
from math import ceil, isinf
from time import monotonic
from types import ModuleType
from typing import Any, TypeVar

import psycopg
from django.db.backends.postgresql import base as postgresql
from psycopg import capabilities
from psycopg.abc import PQGen

from newsletter.common.database.deadlines import current_deadline, open_circuit

_LEAST_CONNECT_SECONDS = 2  # what libpq takes for the least
_CANCEL_SECONDS = 1.0
Value = TypeVar("Value")


class DeadlineConnection(psycopg.Connection[Any]):
    """A connection that checks the deadline whenever the server was silent for a tenth of a second."""

    @classmethod
    def connect(cls, conninfo: str = "", **parameters: Any) -> "DeadlineConnection":
        left = current_deadline() - monotonic()
        if isinf(left):
            return super().connect(conninfo, **parameters)
        if left <= 0:
            raise _silent()
        parameters["connect_timeout"] = max(ceil(left), _LEAST_CONNECT_SECONDS)
        try:
            return super().connect(conninfo, **parameters)
        except psycopg.errors.ConnectionTimeout:
            open_circuit()
            raise

    def wait(self, gen: PQGen[Value], *arguments: Any, **options: Any) -> Value:
        end = current_deadline()
        return super().wait(gen if isinf(end) else self._until(end, gen), *arguments, **options)

    def _until(self, end: float, gen: PQGen[Value]) -> Generator[Any, Any, Value]:
        called_off = False
        try:
            state = next(gen)
            while True:
                ready = yield state
                if not ready and monotonic() > end:
                    if called_off or not self._cancel_query():
                        self.close()
                        open_circuit()
                        raise _silent()
                    called_off, end = True, monotonic() + _CANCEL_SECONDS
                state = gen.send(ready)
        except StopIteration as done:
            value: Value = done.value
            return value

    def _cancel_query(self) -> bool:
        """Ask the server on a second connection to cancel this statement. Return True if it answers."""
        if not capabilities.has_cancel_safe():
            return False
        try:
            self.cancel_safe(timeout=_CANCEL_SECONDS)
        except psycopg.Error:
            return False
        return True


def _silent() -> psycopg.OperationalError:
    return psycopg.OperationalError("The database did not answer in time.")


_driver = ModuleType("psycopg")
_driver.__dict__.update(vars(psycopg))
_driver.__dict__["connect"] = DeadlineConnection.connect
# A server that takes no changes (a standby, a full disk) cannot be used. psycopg calls that internal, and SQLite operational.
_driver.__dict__["OperationalError"] = (psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction)


class DatabaseWrapper(postgresql.DatabaseWrapper):
    Database = _driver

    def init_connection_state(self) -> None:
        """Switch off the server's compiling of statements and parallel reading.

        To compile (`jit`) took longer than it saved, up to a second each time. With parallel workers, PostgreSQL reads
        complete tables instead of searching an index, and one page uses the processor of the others.
        """
        super().init_connection_state()
        with self.connection.cursor() as cursor:
            cursor.execute("SET jit = off; SET max_parallel_workers_per_gather = 0")
        if not self.get_autocommit():
            self.connection.commit()
