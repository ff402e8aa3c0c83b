"""The stop request of this process. Long-running work checks it before each step."""

import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

log = logging.getLogger(__name__)
_STANDARD_ERROR = 2
GRACE_SECONDS = 25.0
_stop_requested = threading.Event()


def ask_to_stop() -> None:
    """Request that running work ends after its current step."""
    _stop_requested.set()


def clear_stop_request() -> None:
    """Clear an earlier request, for an engine that starts in the same process again."""
    _stop_requested.clear()


def is_stopping() -> bool:
    """Return True once a stop was requested."""
    return _stop_requested.is_set()


def wait_or_stop(seconds: float) -> bool:
    """Wait this number of seconds, or until a stop is requested. Return True if it was."""
    return _stop_requested.wait(seconds)


@contextmanager
def note_stop_signal(said: str) -> Iterator[list[int]]:
    """Yield a list that gets the number of the first signal to stop, and say ``said``. A second signal acts as before the block.

    A signal that is ignored stays ignored, such as Ctrl-C for a command that a script runs in the background.
    """
    noted: list[int] = []
    signals = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    before = {number: handler for number, handler in signals.items() if handler not in (signal.SIG_IGN, None)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def note(number: int, _frame: FrameType | None) -> None:
        noted.append(number)
        restore()
        with suppress(OSError):  # the terminal may be closed
            os.write(_STANDARD_ERROR, f"\n{said}\n".encode())  # a handler must not use a buffer that it may interrupt

    for number in before:
        signal.signal(number, note)
    try:
        yield noted
    finally:
        restore()


def exit_during_call(*, status: int = 0) -> NoReturn:
    """End the process although a call is running. Python itself would wait for the thread of that call."""
    log.warning("A call did not end in time. The next worker settles its batch. Nobody is mailed twice.")
    logging.shutdown()
    os._exit(status)
