"""One request at a time to each host, so that we are a light guest however many of a site's addresses are read."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakValueDictionary


class _Turn:
    def __init__(self) -> None:
        self.lock = threading.Lock()


_turns: "WeakValueDictionary[str, _Turn]" = WeakValueDictionary()
_guard = threading.Lock()


@contextmanager
def turn_at(host: str, *, patience: float) -> Iterator[bool]:
    """Waits for its turn at a host, at most ``patience`` seconds; whether it came."""
    with _guard:
        turn = _turns.setdefault(host, _Turn())
    came = turn.lock.acquire(timeout=max(patience, 0.0))
    try:
        yield came
    finally:
        if came:
            turn.lock.release()
