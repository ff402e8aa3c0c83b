"""Show figures that take long to count from the last count, with its time. Decisions never use them: those count again."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Generic, TypeVar

from django.core.cache import cache

T = TypeVar("T")
_VERSION = version("newsletter")  # another version may not read what this one pickled
QUICK_SECONDS = 0.2
MAX_AGE = timedelta(minutes=15)


@dataclass(frozen=True)
class Figure(Generic[T]):
    """A count and its time. ``counted_at`` is None if it was made a moment ago."""

    value: T
    counted_at: datetime | None = None


def recall_or_count(name: str, count: Callable[[], T], *, now: datetime, again: bool = False) -> Figure[T]:
    """Return what ``count`` returns, or what it returned in the last 15 minutes if it took longer than 0.2 seconds then.

    With ``again`` it is counted in any case. ``name`` says what is counted, for whom if it differs. The value is pickled into
    a file that nobody deletes before it is read again, so it must not contain a name, an address or a location.
    """
    key = f"figure {_VERSION} {name}".replace(" ", "_")
    kept = None if again else cache.get(key)
    if kept is not None:
        return Figure(*kept)
    started = time.perf_counter()
    value = count()
    if time.perf_counter() - started > QUICK_SECONDS:
        cache.set(key, (value, now), MAX_AGE.total_seconds())
    else:
        cache.delete(key)
    return Figure(value)
