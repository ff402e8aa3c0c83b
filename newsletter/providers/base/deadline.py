"""End calls to providers whose time is up, from one thread of this process for all of them.

A timer of its own for each call would start a thread for each, and every start waits for Python's lock.
"""

import math
import os
import socket
import threading
import time
from types import TracebackType

from newsletter.common.messages import Message

IDLE_SECONDS = 10.0
"""The thread ends after so long without a call."""
_thread_local = threading.local()


class Deadline:
    """A context manager around one call of this thread. ``has_passed`` is True if it ended the call."""

    def __init__(self, *, seconds: float) -> None:
        self.seconds = seconds
        self.ends_at = math.inf
        self.has_passed = False
        self._connection: object | None = None

    def __enter__(self) -> "Deadline":
        _thread_local.deadline = self
        self.ends_at = time.monotonic() + self.seconds
        _watcher.add(self)
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


class DeadlineWatcher:
    """Ends the calls that were added and not removed in time. Its thread lives only while there are any."""

    def __init__(self, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self._idle_seconds = idle_seconds
        self.forget()

    def forget(self) -> None:
        """Begin without calls and without a thread: a forked process has neither."""
        self._changed = threading.Condition()
        self._running: set[Deadline] = set()
        self._thread: threading.Thread | None = None
        self._wakes_at = math.inf

    def add(self, deadline: Deadline) -> None:
        with self._changed:
            self._running.add(deadline)
            if self._thread is None or not self._thread.is_alive():
                self._wakes_at = deadline.ends_at
                self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
                self._thread.start()
            elif deadline.ends_at < self._wakes_at:
                self._changed.notify()

    def remove(self, deadline: Deadline) -> None:
        """Leave the call alone from now on. Its connection may serve another call next."""
        with self._changed:
            self._running.discard(deadline)

    def _run(self) -> None:
        with self._changed:
            while self._end_due() or not self._is_idle():
                continue
            self._thread = None

    def _end_due(self) -> bool:
        """End the calls whose time is up. Return True if there were any. The lock is held, so none is removed meanwhile."""
        now = time.monotonic()
        due = [deadline for deadline in self._running if deadline.ends_at <= now]
        for deadline in due:
            self._running.discard(deadline)
            deadline.end()
        return bool(due)

    def _is_idle(self) -> bool:
        """Wait until the next call may be due. Return True if there was none for the idle time."""
        now = time.monotonic()
        was_empty = not self._running
        self._wakes_at = min((deadline.ends_at for deadline in self._running), default=now + self._idle_seconds)
        was_notified = self._changed.wait(max(self._wakes_at - now, 0))
        return was_empty and not was_notified and not self._running


_watcher = DeadlineWatcher()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_watcher.forget)
