"""Whether this process is about to end. Work that goes on and on asks it before it begins the next piece."""

import threading

GRACE_SECONDS = 25.0
_asked = threading.Event()


def ask_to_stop() -> None:
    _asked.set()


def begin_again() -> None:
    """For an engine that starts in a process where another one ended."""
    _asked.clear()


def is_stopping() -> bool:
    return _asked.is_set()


def nap(seconds: float) -> bool:
    """Wait so long, or until the process is to end. Returns whether it is."""
    return _asked.wait(seconds)
