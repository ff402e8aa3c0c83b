"""How long the work for one public page may wait for the database, what its wait spares those after it, what a failure means.

It holds the clock only. Who waits on the network asks it: `newsletter.project.database` for PostgreSQL.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from time import monotonic

from django.db import Error, InterfaceError, OperationalError

_REST_SECONDS = 2.0
_CALLED_OFF = "57014"
_LOST_TO_ANOTHER = ("40", "55P03")  # a deadlock, a lock that is not to be had: a second try may go through
_own = threading.local()
_silence = {"until": -inf}


@contextmanager
def wait_at_most(seconds: float) -> Iterator[None]:
    """Waits for the database inside, all together, end after so many seconds, as does what was begun before.

    Raises `OperationalError` where the database was silent a moment ago: who comes then is not kept waiting as well.
    """
    if monotonic() < _silence["until"]:
        raise OperationalError("The database has not answered for some seconds. It is asked again in a moment.")
    before = end_of_patience()
    _own.end = monotonic() + seconds
    try:
        yield
    finally:
        _own.end = before


def end_of_patience() -> float:
    """On the monotonic clock, for this thread; infinity where nobody set an end."""
    end: float = getattr(_own, "end", inf)
    return end


def note_silence() -> None:
    """The database let somebody's patience run out."""
    _silence["until"] = monotonic() + _REST_SECONDS


def is_away(error: Error) -> bool:
    """Whether the database did not answer. It did where it says no: it is well, and one statement was in somebody's way."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    return not (may_mend(error) or _state_of(error) == _CALLED_OFF)


def may_mend(error: Error) -> bool:
    """Whether a second try at once may go through."""
    return not isinstance(error, OperationalError | InterfaceError) or _state_of(error).startswith(_LOST_TO_ANOTHER)


def _state_of(error: Error) -> str:
    """PostgreSQL's five letters for what is wrong; "" where it said nothing, and with SQLite."""
    return str(getattr(error.__cause__, "sqlstate", None) or "")
