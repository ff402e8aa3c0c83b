"""End calls to providers whose time is up, from one thread of this process for all of them.

A separate timer for each call would start a thread for each, and every start waits for Python's lock.
"""

import logging
import math
import os
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType

from newsletter.common.errors import DomainError
from newsletter.common.messages import Message

IDLE_SECONDS = 10.0
"""The thread ends after so long without a call."""
_MIN_SECONDS = 0.001
log = logging.getLogger(__name__)
_thread_local = threading.local()


class DeadlineUnavailable(DomainError):
    """No thread could be started that would end the call. The call has not begun."""


class Deadline:
    """A context manager around one call of this thread. ``has_passed`` is True if it ended the call."""

    def __init__(self, *, seconds: float) -> None:
        self.seconds = seconds
        self.ends_at = math.inf
        self.has_passed = False
        self._connection: object | None = None

    def __enter__(self) -> "Deadline":
        """Raise DeadlineUnavailable before the call begins, if nothing could end it."""
        self.ends_at = time.monotonic() + self.seconds
        _watcher.add(self)
        _thread_local.deadline = self
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _watcher.remove(self)
        _thread_local.deadline = None

    def watch(self, connection: object) -> None:
        """Remember the connection in use. Raise TimeoutError if the time is up already."""
        self._connection = connection
        if self.has_passed:
            raise TimeoutError(Message("the time for this call is up"))

    def end(self) -> None:
        """Shut down the connection of the call, which fails then. It does not wait for anything."""
        self.has_passed = True
        sock = getattr(self._connection, "sock", None)
        if isinstance(sock, socket.socket):
            try:
                # Not sock.shutdown: that of a TLS socket drops its session while another thread reads from it.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
            except OSError:
                return


def watch_connection(connection: object) -> None:
    """Give the connection to the deadline of this thread's call, if there is one."""
    deadline: Deadline | None = getattr(_thread_local, "deadline", None)
    if deadline is not None:
        deadline.watch(connection)


def find_seconds_left() -> float | None:
    """Return the time that this thread's call still has, more than 0, or None without a call."""
    deadline: Deadline | None = getattr(_thread_local, "deadline", None)
    return None if deadline is None else max(deadline.ends_at - time.monotonic(), _MIN_SECONDS)


class DeadlineWatcher:
    """Ends the calls that were added and not removed in time. Its thread ends after the idle time without a call."""

    def __init__(self, *, idle_seconds: float = IDLE_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._idle_seconds = idle_seconds
        self._clock = clock
        self.forget()

    def forget(self) -> None:
        """Begin without calls and without a thread: a forked process has neither."""
        self._changed = threading.Condition()
        self._running: set[Deadline] = set()
        self._thread: threading.Thread | None = None
        self._wakes_at = math.inf
        self._used_at = -math.inf

    def add(self, deadline: Deadline) -> None:
        """Watch a call. Raise DeadlineUnavailable if it needs a thread and none can be started."""
        with self._changed:
            self._running.add(deadline)
            self._used_at = self._clock()
            if self._thread is None or not self._thread.is_alive():
                self._start(deadline)
            elif deadline.ends_at < self._wakes_at:
                self._changed.notify()

    def remove(self, deadline: Deadline) -> None:
        """Leave the call alone from now on. Its connection may serve another call next."""
        with self._changed:
            self._running.discard(deadline)
            self._used_at = self._clock()

    def _start(self, deadline: Deadline) -> None:
        thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            self._running.discard(deadline)
            raise DeadlineUnavailable(
                "this machine could not start a thread; give it more memory, or raise the limit of threads of this program"
            ) from error
        self._thread, self._wakes_at = thread, deadline.ends_at

    def _run(self) -> None:
        with self._changed:
            while (seconds := self._end_due()) > 0:
                self._changed.wait(seconds)
            self._thread = None

    def _end_due(self) -> float:
        """End the calls whose time is up. Return the seconds until the next look, 0 after the idle time without a call.

        This thread has the lock, so no other thread removes a call.
        """
        now = self._clock()
        for deadline in [deadline for deadline in self._running if deadline.ends_at <= now]:
            self._running.discard(deadline)
            self._used_at = now
            _end(deadline)
        # It looks at least once in the idle time: nobody wakes it if the last call ends early.
        idle_at = (now if self._running else self._used_at) + self._idle_seconds
        self._wakes_at = min([idle_at, *(deadline.ends_at for deadline in self._running)])
        return max(self._wakes_at - now, 0)


def _end(deadline: Deadline) -> None:
    try:
        deadline.end()
    except Exception as error:  # a defect in one connection must not leave all other calls without an end
        log.error("A call to a provider whose time was up could not be ended. Report this defect.", exc_info=error)


_watcher = DeadlineWatcher()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_watcher.forget)
