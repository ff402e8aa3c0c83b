"""Run a check in a thread of its own, so that a caller never waits longer than it wants to."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from time import monotonic
from typing import Generic, TypeVar

from django.db import Error, connections

Result = TypeVar("Result")


class SharedCheck(Generic[Result]):
    """One run at a time, whose result is shared by all callers and kept for ``keep_seconds``. An error is not kept.

    A hundred monitors then cost one check. Once a run has hung for as long as a caller would wait, it gets None at once.
    """

    def __init__(self, run: Callable[[], Result], *, keep_seconds: float) -> None:
        self._run = run
        self._keep = keep_seconds
        self._lock = threading.Lock()
        self._current: Future[Result] | None = None
        self._started_at = self._ended_at = 0.0

    def get(self, *, within: float) -> Result | None:
        """Return the result, or None if there is none within so many seconds. Raises what the run raised."""
        current, left = self._join(within)
        try:
            return current.result(timeout=max(left, 0.0))
        except FutureTimeout:
            # It may have ended just now, or itself have raised a TimeoutError.
            return current.result() if current.done() else None

    def _join(self, within: float) -> "tuple[Future[Result], float]":
        """Return the current run, or a new one if its result is too old, and how long to wait for it."""
        with self._lock:
            now, current = monotonic(), self._current
            if current is not None and not current.done():
                return current, self._started_at + within - now
            if current is not None and current.exception() is None and now - self._ended_at < self._keep:
                return current, 0.0
            self._current = current = Future()
            self._started_at = now
            threading.Thread(target=self._work, args=(current,), name="shared-check", daemon=True).start()
            return current, within

    def _work(self, future: "Future[Result]") -> None:
        try:
            result = self._run()
        except Exception as error:  # noqa: BLE001  it is raised in the threads that wait
            future.set_exception(error)
        else:
            self._ended_at = monotonic()
            future.set_result(result)
        finally:
            for connection in connections.all(initialized_only=True):
                try:
                    connection.close()
                except Error:
                    continue
