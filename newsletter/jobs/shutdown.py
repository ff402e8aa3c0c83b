"""Whether this process is about to end. Work that goes on and on asks it before it begins the next piece."""

import threading

GRACE_SECONDS = 25.0
_stop_requested = threading.Event()


def ask_to_stop() -> None:
    _stop_requested.set()


def clear_stop_request() -> None:
    """For an engine that starts in a process where another one ended."""
    _stop_requested.clear()


def is_stopping() -> bool:
    return _stop_requested.is_set()


def wait_or_stop(seconds: float) -> bool:
    """Wait so long, or until the process is to end. Returns whether it is."""
    return _stop_requested.wait(seconds)
