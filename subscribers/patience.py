"""How long the work for one public page may wait for the database, and what one page's wait spares those after it.

It holds the clock only. Who waits on the network asks it: `newsletter.project.database` for PostgreSQL.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from time import monotonic

from django.db import OperationalError

_REST_SECONDS = 2.0
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
