"""A file that is only ever added to. What finds no room is kept in memory and written when there is room again."""

import atexit
import errno
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

RETRY_SECONDS = 15.0
MAX_PENDING_LINES = 200_000
"""About 30 MB of lines. What is beyond is left to whoever compares the file with the database later."""
_LOG = logging.getLogger(__name__)


class JournalFile:
    """One file and the lines that wait for it. Threads may share one; several processes may add to one file.

    `still_due` is given the lines that waited, and returns those that nothing in the file has overtaken.
    """

    def __init__(self, path: Path, *, still_due: Callable[[list[bytes]], list[bytes]]) -> None:
        self._path = path
        self._still_due = still_due
        self._lock = threading.Lock()
        self._waiting: list[bytes] = []
        self._timer: threading.Timer | None = None
        self._ending = False
        atexit.register(self._flush_at_exit)

    @property
    def waiting(self) -> int:
        """How many lines are not in the file yet."""
        return len(self._waiting)

    def add(self, lines: list[bytes]) -> None:
        """Write whole lines, after those that wait. Never raises OSError: what cannot be written waits."""
        with self._lock:
            self._write([*self._pending_lines(), *lines])

    def flush(self) -> bool:
        """Try to write what waits. Return True if nothing waits any more."""
        with self._lock:
            if self._waiting:
                self._write(self._pending_lines())
            return not self._waiting

    def _pending_lines(self) -> list[bytes]:
        if not self._waiting:
            return []
        try:
            return self._still_due(self._waiting)
        except OSError:
            return self._waiting

    def _write(self, lines: list[bytes]) -> None:
        waited = len(self._waiting)
        try:
            append_lines(self._path, b"".join(lines))
        except OSError as error:
            self._keep_for_retry(lines, why=error)
            return
        if waited:
            _LOG.info("%s is complete again: %s lines that waited are written.", self._path, waited)
        self._waiting = []

    def _keep_for_retry(self, lines: list[bytes], *, why: OSError) -> None:
        if not self._waiting:
            _LOG.error(
                "Who left could not be noted beside the database (%s). It is in the database, and is tried again every "
                "%d seconds. Make room in %s.",
                why,
                RETRY_SECONDS,
                self._path.parent,
            )
        self._waiting = lines[:MAX_PENDING_LINES]
        if self._timer is None and not self._ending:
            self._timer = threading.Timer(RETRY_SECONDS, self._retry)
            self._timer.daemon = True
            self._timer.start()

    def _retry(self) -> None:
        with self._lock:
            self._timer = None
        self.flush()

    def _flush_at_exit(self) -> None:
        """Try once more when the process ends. What still waits is found by comparing with the database later."""
        self._ending = True
        self.flush()


def append_lines(path: Path, lines: bytes) -> None:
    """Add whole lines with one write, so that the lines of several processes stay whole. Raises OSError.

    A full disk takes a part of them without an error; that counts as one.
    """
    if not lines:
        return
    with path.open("ab+", buffering=0) as file:
        content = lines if _ends_with_newline(file) else b"\n" + lines
        if (file.write(content) or 0) < len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def _ends_with_newline(file: BinaryIO) -> bool:
    """Return False behind a line that a crash or a full disk cut off: the next one must not be lost with it."""
    if not file.seek(0, os.SEEK_END):
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"
