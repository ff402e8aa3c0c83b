"""Show figures that take long to count from the last count, with its time. Decisions never use them: those count again.

They are kept in the memory of the process. A figure may count groups of one person, and must not rest in a file.
"""

import pickle
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Generic, TypeVar

from django.utils import timezone

T = TypeVar("T")
QUICK_SECONDS = 0.1
MAX_AGE = timedelta(minutes=15)
MAX_KEPT = 100
MAX_WAIT_SECONDS = 30.0
_lock = Lock()
_kept: dict[str, tuple[datetime, datetime, bytes]] = {}
"""When each was kept, the time that its page shows, and the pickled value: so no page can change it. The oldest is first."""
Coming = Future[tuple[bytes, datetime] | None]
"""A figure that a thread counts now: its pickled value and time, or None if the count failed."""
_coming: dict[str, Coming] = {}


@dataclass(frozen=True)
class Figure(Generic[T]):
    """A count and its time. ``counted_at`` is None if it was just counted."""

    value: T
    counted_at: datetime | None = None


@dataclass(frozen=True)
class _Counted(Generic[T]):
    value: T
    pickled: bytes


def recall_or_count(name: str, count: Callable[[], T], *, now: datetime, again: bool = False) -> Figure[T]:
    """Return the result of ``count``, or its result of the last 15 minutes if that took longer than 0.1 seconds.

    With ``again`` it is counted in any case. ``name`` identifies the count, also by the person if it differs between people.
    Each process keeps its last 100 figures. If several threads need the same figure, one counts and the others get its
    result, with its time.
    """
    if again:
        return Figure(_count(name, count, now=now).value)
    if (cached := _recall(name)) is not None:
        return cached
    with _lock:
        coming = _coming.get(name)
        if coming is None:
            promise = _coming[name] = Coming()
    if coming is not None:
        return _wait(coming) or Figure(_count(name, count, now=now).value)
    result: tuple[bytes, datetime] | None = None
    try:
        # Another thread may have ended its count since this one looked.
        if (cached := _recall(name)) is not None:
            result = pickle.dumps(cached.value), cached.counted_at or now
            return cached
        counted = _count(name, count, now=now)
        result = counted.pickled, now
    finally:
        with _lock:
            del _coming[name]
        promise.set_result(result)
    return Figure(counted.value)


def _recall(name: str) -> Figure[Any] | None:
    _forget_old()
    entry = _kept.get(name)
    if entry is None:
        return None
    _kept_at, counted_at, pickled = entry
    return Figure(pickle.loads(pickled), counted_at)  # noqa: S301  this process made it


def _wait(coming: Coming) -> Figure[Any] | None:
    """Return the figure of another thread, or None if its count failed or does not end."""
    try:
        result = coming.result(MAX_WAIT_SECONDS)
    except TimeoutError:
        return None
    return Figure(pickle.loads(result[0]), result[1]) if result else None  # noqa: S301  this process made it


def _count(name: str, count: Callable[[], T], *, now: datetime) -> _Counted[T]:
    started = time.perf_counter()
    value = count()
    is_slow = time.perf_counter() - started > QUICK_SECONDS
    pickled = pickle.dumps(value)
    with _lock:
        if name in _kept and _kept[name][1] > now:
            return _Counted(value, pickled)  # somebody has just counted again
        _kept.pop(name, None)
        if is_slow:
            if len(_kept) >= MAX_KEPT:
                del _kept[next(iter(_kept))]
            _kept[name] = (timezone.now(), now, pickled)
    return _Counted(value, pickled)


def forget_counts() -> None:
    """Forget all kept figures."""
    with _lock:
        _kept.clear()


def _forget_old() -> None:
    """Forget figures older than `MAX_AGE`, and those of a clock that was ahead."""
    now = timezone.now()
    with _lock:
        for name in [name for name, (kept_at, *_rest) in _kept.items() if not now - MAX_AGE < kept_at <= now]:
            del _kept[name]
