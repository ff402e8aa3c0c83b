"""Show figures that take long to count from the last count, with its time. Decisions never use them: those count again.

They are kept in the memory of the process. A figure may count groups of one person, and must not rest in a file.
"""

import pickle
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Generic, TypeVar

from django.utils import timezone

T = TypeVar("T")
QUICK_SECONDS = 0.2
MAX_AGE = timedelta(minutes=15)
MAX_KEPT = 100
MAX_WAIT_SECONDS = 2.0
_lock = Lock()
_kept: dict[str, tuple[datetime, datetime, bytes]] = {}
"""When each was kept, the time that its page shows, and the pickled value: so no page can change it. The oldest is first."""
_counting: dict[str, list[Lock]] = {}
"""One lock for each figure that is being counted, listed once for each thread that holds it or waits for it."""


@dataclass(frozen=True)
class Figure(Generic[T]):
    """A count and its time. ``counted_at`` is None if it was made a moment ago."""

    value: T
    counted_at: datetime | None = None


def recall_or_count(name: str, count: Callable[[], T], *, now: datetime, again: bool = False) -> Figure[T]:
    """Return what ``count`` returns, or what it returned in the last 15 minutes if it took longer than 0.2 seconds then.

    With ``again`` it is counted in any case. ``name`` says what is counted, for whom if it differs. Each process keeps its
    last 100 figures. If several threads need the same figure, one counts and the others wait for it, 2 seconds at most.
    """
    if again:
        return Figure(_count(name, count, now=now))
    if (figure := _recall(name)) is not None:
        return figure
    with _waiting_for_others(name):
        return _recall(name) or Figure(_count(name, count, now=now))


def _recall(name: str) -> Figure[Any] | None:
    _forget_old()
    kept = _kept.get(name)
    if kept is None:
        return None
    _kept_at, counted_at, pickled = kept
    return Figure(pickle.loads(pickled), counted_at)  # noqa: S301  this process made it


def _count(name: str, count: Callable[[], T], *, now: datetime) -> T:
    started = time.perf_counter()
    value = count()
    is_slow = time.perf_counter() - started > QUICK_SECONDS
    pickled = pickle.dumps(value) if is_slow else b""
    with _lock:
        _kept.pop(name, None)
        if is_slow:
            if len(_kept) >= MAX_KEPT:
                del _kept[next(iter(_kept))]
            _kept[name] = (timezone.now(), now, pickled)
    return value


@contextmanager
def _waiting_for_others(name: str) -> Iterator[None]:
    """Let one thread after another into this block, or any after `MAX_WAIT_SECONDS`."""
    with _lock:
        users = _counting.setdefault(name, [])
        own = users[0] if users else Lock()
        users.append(own)
    acquired = own.acquire(timeout=MAX_WAIT_SECONDS)
    try:
        yield
    finally:
        if acquired:
            own.release()
        with _lock:
            users.pop()
            if not users:
                del _counting[name]


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
