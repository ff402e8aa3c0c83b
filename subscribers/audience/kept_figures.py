"""Show figures that take long to count from the last count, with its time. Decisions never use them: those count again."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from django.core.cache import cache

T = TypeVar("T")
QUICK_SECONDS = 0.2
MAX_AGE = timedelta(minutes=15)


@dataclass(frozen=True)
class Figure(Generic[T]):
    """What was counted. ``counted_at`` is None if that was a moment ago."""

    value: T
    counted_at: datetime | None = None


def recall_or_count(name: str, count: Callable[[], T], *, now: datetime, again: bool = False) -> Figure[T]:
    """Return what ``count`` returns, or what it returned in the last 15 minutes if it took longer than 0.2 seconds then.

    With ``again`` it is counted in any case. ``name`` says what is counted. The value has to be pickled.
    """
    key = f"figure {name}".replace(" ", "_")
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
