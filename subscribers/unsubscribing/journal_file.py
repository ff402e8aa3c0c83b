"""An append-only file. Lines stay in memory while the disk is full."""

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
"""About 30 MB of lines. A later comparison with the database finds the lines beyond this limit."""
_LOG = logging.getLogger(__name__)


class JournalFile:
    """One file and its pending lines. Threads may share it; several processes may append to one file.

    `still_due` gets the pending lines and returns those that no later line in the file has overtaken.
    """

    def __init__(self, path: Path, *, still_due: Callable[[list[bytes]], list[bytes]]) -> None:
        self._path = path
        self._still_due = still_due
        self._lock = threading.Lock()
        self._pending: list[bytes] = []
        self._timer: threading.Timer | None = None
        self._ending = False
        atexit.register(self._flush_at_exit)

    @property
    def pending(self) -> int:
        """Return the number of lines that are not in the file yet."""
        return len(self._pending)

    def add(self, lines: list[bytes]) -> None:
        """Write the pending lines, then these. If that fails they become pending; no OSError is raised."""
        with self._lock:
            self._write([*self._pending_lines(), *lines])

    def flush(self) -> bool:
        """Try to write the pending lines. Return True if none is left."""
        with self._lock:
            if self._pending:
                self._write(self._pending_lines())
            return not self._pending

    def _pending_lines(self) -> list[bytes]:
        if not self._pending:
            return []
        try:
            return self._still_due(self._pending)
        except OSError:
            return self._pending

    def _write(self, lines: list[bytes]) -> None:
        pending_before = len(self._pending)
        try:
            append_lines(self._path, b"".join(lines))
        except OSError as error:
            self._keep_for_retry(lines, error=error)
            return
        if pending_before:
            _LOG.info("%s is complete again: %s pending lines were written.", self._path, pending_before)
        self._pending = []

    def _keep_for_retry(self, lines: list[bytes], *, error: OSError) -> None:
        if not self._pending:
            _LOG.error(
                "The suppression journal could not be written (%s). The database has the unsubscribes, and the journal is "
                "retried every %d seconds. Free some space in %s.",
                error,
                RETRY_SECONDS,
                self._path.parent,
            )
        self._pending = lines[:MAX_PENDING_LINES]
        if self._timer is None and not self._ending:
            self._timer = threading.Timer(RETRY_SECONDS, self._retry)
            self._timer.daemon = True
            self._timer.start()

    def _retry(self) -> None:
        with self._lock:
            self._timer = None
        self.flush()

    def _flush_at_exit(self) -> None:
        """Try once more when the process ends. A comparison with the database finds what is still missing."""
        self._ending = True
        self.flush()


def append_lines(path: Path, lines: bytes) -> None:
    """Append whole lines with one write, so that lines of several processes do not mix.

    Raises:
        OSError: The lines were not written completely, for example because the disk is full.
    """
    if not lines:
        return
    with path.open("ab+", buffering=0) as file:
        content = lines if _ends_with_newline(file) else b"\n" + lines
        if (file.write(content) or 0) < len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def _ends_with_newline(file: BinaryIO) -> bool:
    """Return False if a crash or a full disk cut off the last line, which would swallow the next one."""
    if not file.seek(0, os.SEEK_END):
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"
