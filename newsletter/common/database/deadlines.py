"""Database deadlines for public pages: time limit, circuit breaker, error classes.

This module has the clock only. `newsletter.project.database` looks at it while it waits for PostgreSQL.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from time import monotonic

from django.db import Error, InterfaceError, OperationalError

from newsletter.common.database.error_codes import QUERY_CANCELED, sqlstate_of

_CIRCUIT_OPEN_SECONDS = 2.0
_CONFLICT_SQLSTATES = ("40", "55P03")  # a deadlock, a lock that is not to be had: a second try may go through
_local = threading.local()
_circuit = {"until": -inf}


@contextmanager
def database_deadline(seconds: float) -> Iterator[None]:
    """Limit all waits for the database inside the block to this number of seconds together.

    Raise `OperationalError` if the database did not answer a moment ago, so that nobody waits in vain again.
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
    """Return this thread's deadline on the monotonic clock, or infinity."""
    end: float = getattr(_local, "end", inf)
    return end


def open_circuit() -> None:
    """Make the requests of the next seconds fail at once: the database did not answer in time."""
    _circuit["until"] = monotonic() + _CIRCUIT_OPEN_SECONDS


def is_database_unavailable(error: Error) -> bool:
    """Return True if the database did not answer. A refused statement is an answer."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    return not (is_retryable(error) or sqlstate_of(error) == QUERY_CANCELED)


def is_retryable(error: Error) -> bool:
    """Return True if repeating the statement at once may succeed."""
    return not isinstance(error, OperationalError | InterfaceError) or sqlstate_of(error).startswith(
        _CONFLICT_SQLSTATES
    )
