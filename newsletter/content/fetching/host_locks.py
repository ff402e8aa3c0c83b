"""One request at a time to each host, so that we are a light guest however many of a site's addresses are read."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakValueDictionary


class _HostLock:
    def __init__(self) -> None:
        self.lock = threading.Lock()


_locks: "WeakValueDictionary[str, _HostLock]" = WeakValueDictionary()
_guard = threading.Lock()


@contextmanager
def host_lock(host: str, *, patience: float) -> Iterator[bool]:
    """Waits for its turn at a host, at most ``patience`` seconds; whether it acquired."""
    with _guard:
        turn = _locks.setdefault(host, _HostLock())
    acquired = turn.lock.acquire(timeout=max(patience, 0.0))
    try:
        yield acquired
    finally:
        if acquired:
            turn.lock.release()
