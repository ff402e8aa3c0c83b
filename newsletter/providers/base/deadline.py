"""A hard deadline for an HTTP call: when time is up, the socket in use is shut down.

Socket time-outs alone do not end a call whose peer sends one byte a second.
"""

import socket
import threading
from types import TracebackType

from newsletter.common.messages import Message

_thread_local = threading.local()


class Deadline:
    """A context manager around one call of this thread. ``has_passed`` is True if it ended the call."""

    def __init__(self, *, seconds: float) -> None:
        self.seconds = seconds
        self.has_passed = False
        self._connection: object | None = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> "Deadline":
        _thread_local.deadline = self
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        _thread_local.deadline = None

    def watch(self, connection: object) -> None:
        """Remember the connection in use. Raise TimeoutError if the time is up already."""
        self._connection = connection
        if self.has_passed:
            raise TimeoutError(Message("the time for this call is up"))

    def _end(self) -> None:
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
