"""The connections to PostgreSQL: Django's own, but nobody waits beyond what `newsletter.common.database_deadlines` says.

A server that stands still, or whose machine is gone, answers nothing and refuses nothing: only the client's own clock
ends such a wait. The connection is given up with it, for what comes on it later belongs to nobody. A server that is well
and waits itself, for a row that somebody holds, is asked to call the statement off: then nobody else has to wait.
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

from newsletter.common.database_deadlines import current_deadline, open_circuit

_LEAST_CONNECT_SECONDS = 2  # what libpq takes for the least
_CANCEL_SECONDS = 1.0
Value = TypeVar("Value")


class DeadlineConnection(psycopg.Connection[Any]):
    """Looks at the clock whenever the server has said nothing for a tenth of a second."""

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

    def wait(self, gen: PQGen[Value], *arguments: Any, **named: Any) -> Value:
        end = current_deadline()
        if isinf(end):
            return super().wait(gen, *arguments, **named)
        return super().wait(self._until(end, gen), *arguments, **named)

    def _until(self, end: float, gen: PQGen[Value]) -> Generator[Any, Any, Value]:
        called_off = False
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and monotonic() > end:
                    if called_off or not self._cancel_query():
                        self.close()
                        open_circuit()
                        raise _silent()
                    called_off, end = True, monotonic() + _CANCEL_SECONDS
                wanted = gen.send(ready)
        except StopIteration as done:
            value: Value = done.value
            return value

    def _cancel_query(self) -> bool:
        """Whether the server answers, on a connection of its own, that it ends what it does on this one."""
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


class DatabaseWrapper(postgresql.DatabaseWrapper):
    Database = _driver
