"""How long the work for one public page may wait for the database, what its wait spares those after it, what a failure means.

It holds the clock only. Who waits on the network asks it: `newsletter.project.database` for PostgreSQL.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from time import monotonic

from django.db import Error, InterfaceError, OperationalError

_CIRCUIT_OPEN_SECONDS = 2.0
_QUERY_CANCELED = "57014"
_CONFLICT_SQLSTATES = ("40", "55P03")  # a deadlock, a lock that is not to be had: a second try may go through
_local = threading.local()
_circuit = {"until": -inf}


@contextmanager
def database_deadline(seconds: float) -> Iterator[None]:
    """Waits for the database inside, all together, end after so many seconds, as does what was begun before.

    Raises `OperationalError` where the database was silent a moment ago: who comes then is not kept waiting as well.
    """
    if monotonic() < _circuit["until"]:
        raise OperationalError("The database has not answered for some seconds. It is asked again in a moment.")
    before = current_deadline()
    _local.end = monotonic() + seconds
    try:
        yield
    finally:
        _local.end = before


def current_deadline() -> float:
    """On the monotonic clock, for this thread; infinity where nobody set an end."""
    end: float = getattr(_local, "end", inf)
    return end


def open_circuit() -> None:
    """The database let somebody's patience run out."""
    _circuit["until"] = monotonic() + _CIRCUIT_OPEN_SECONDS


def is_database_unavailable(error: Error) -> bool:
    """Whether the database did not answer. It did where it says no: it is well, and one statement was in somebody's way."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    return not (is_retryable(error) or _sqlstate_of(error) == _QUERY_CANCELED)


def is_retryable(error: Error) -> bool:
    """Whether a second try at once may go through."""
    return not isinstance(error, OperationalError | InterfaceError) or _sqlstate_of(error).startswith(
        _CONFLICT_SQLSTATES
    )


def _sqlstate_of(error: Error) -> str:
    """PostgreSQL's five letters for what is wrong; "" where it said nothing, and with SQLite."""
    return str(getattr(error.__cause__, "sqlstate", None) or "")
