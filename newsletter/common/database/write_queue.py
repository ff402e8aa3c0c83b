"""A queue of the connections of one process that want to write to one SQLite file: first come, first served.

SQLite has one writer at a time. It gives its lock to the connection that asks at the right moment, not to the one that has
waited longest. This queue only decides who asks SQLite next. SQLite's own lock still excludes writers, also those of other
processes.
"""

import os
import threading
import weakref
from collections import deque
from time import monotonic

_CHECK_SECONDS = 1.0  # how soon a turn is noticed whose connection is gone


class _Waiter:
    """One waiting connection. `turn` is locked until it is this connection's turn."""

    __slots__ = ("owner", "turn")

    def __init__(self, owner: object) -> None:
        self.owner = weakref.ref(owner)
        self.turn = threading.Lock()
        self.turn.acquire()


class WriteQueue:
    """Give each owner, a connection, its turn to write in the order of their requests."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Forget everybody. A forked process does so: the threads that would end their turns are not in it."""
        self._guard = threading.Lock()
        self._waiters: deque[_Waiter] = deque()
        self._current: weakref.ref[object] | None = None

    def enter(self, owner: object, *, seconds: float) -> bool:
        """Wait for the owner's turn. Return False if it did not come in time; then the owner is no longer in the queue."""
        waiter, end, is_interrupted = _Waiter(owner), monotonic() + seconds, True
        try:
            has_turn = self._begin_or_wait(waiter)
            while not has_turn and (left := end - monotonic()) > 0:
                has_turn = waiter.turn.acquire(timeout=min(left, _CHECK_SECONDS))
                if not has_turn:
                    self._pass_on_if_free()
            has_turn = has_turn or self._leave(waiter)
            is_interrupted = False
        finally:
            if is_interrupted:
                self._leave(waiter)
                self.end(owner)
        return has_turn

    def end(self, owner: object) -> None:
        """End the owner's turn, and begin that of who has waited longest. Do nothing if it is not the owner's turn."""
        with self._guard:
            if self._current is not None and self._current() is owner:
                self._begin_next_turn()

    def count_waiting(self) -> int:
        with self._guard:
            return len(self._waiters)

    def _begin_or_wait(self, waiter: _Waiter) -> bool:
        """Return True if the turn is free or already the owner's. Otherwise put the waiter into the queue."""
        with self._guard:
            if self._is_free() and not self._waiters:
                self._current = waiter.owner
            if self._current is not None and self._current() is waiter.owner():
                return True
            self._waiters.append(waiter)
            return False

    def _is_free(self) -> bool:
        return self._current is None or self._current() is None

    def _begin_next_turn(self) -> None:
        self._current = None
        if self._waiters:
            waiter = self._waiters.popleft()
            self._current = waiter.owner
            waiter.turn.release()

    def _pass_on_if_free(self) -> None:
        """Begin the next turn if the connection whose turn it was is gone without an end."""
        with self._guard:
            if self._is_free():
                self._begin_next_turn()

    def _leave(self, waiter: _Waiter) -> bool:
        """Leave the queue. Return True if the turn came at the last moment."""
        with self._guard:
            if waiter in self._waiters:
                self._waiters.remove(waiter)
                return False
            return True


_queues: dict[str, WriteQueue] = {}
_queues_guard = threading.Lock()


def queue_of_file(path: str) -> WriteQueue:
    """Return this process's queue for a database file. Different names of one file have the same queue."""
    with _queues_guard:
        return _queues.setdefault(os.path.realpath(path), WriteQueue())


def _forget_all() -> None:
    global _queues_guard
    _queues_guard = threading.Lock()
    for queue in _queues.values():
        queue.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
