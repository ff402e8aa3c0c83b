"""Threads for requests and jobs: the one that worked last works next, and some work is done one after another."""

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Lock, Thread, current_thread
from typing import Any, ParamSpec, TypeVar

from django.db import connections

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Work:
    future: "Future[Any]"
    call: Callable[[], Any]

    def run(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            result = self.call()
        except BaseException as error:  # noqa: BLE001 - whoever waits for the future gets it
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


_Hand = SimpleQueue["_Work | None"]
IDLE_SECONDS = 60.0


class LastUsedFirstExecutor(Executor):
    """Threads of which few do most of the work, because each keeps a database connection with its cache.

    The standard pool uses the thread that has waited longest, so each piece of work runs with the caches of another thread.
    A thread that had no work for ``idle_seconds`` closes its connection and ends.
    """

    def __init__(self, max_threads: int, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self._max_threads = max_threads
        self._idle_seconds = idle_seconds
        self._lock = Lock()
        self._idle: list[_Hand] = []
        self._waiting: deque[_Work] = deque()
        self._threads: list[Thread] = []
        self._is_shut_down = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        work = _Work(Future(), lambda: fn(*args, **kwargs))
        with self._lock:
            if self._is_shut_down:
                raise RuntimeError("The pool takes no work after its shutdown.")
            if self._idle:
                self._idle.pop().put(work)
            elif len(self._threads) < self._max_threads:
                self._start_thread(work)
            else:
                self._waiting.append(work)
        return work.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        with self._lock:
            self._is_shut_down = True
            if cancel_futures:
                while self._waiting:
                    self._waiting.popleft().future.cancel()
            while self._idle:
                self._idle.pop().put(None)
            threads = list(self._threads)
        if wait:
            for thread in threads:
                thread.join()

    def _start_thread(self, work: _Work) -> None:
        thread = Thread(target=self._work, args=(work,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self, first: _Work) -> None:
        hand: _Hand = SimpleQueue()
        work: _Work | None = first
        try:
            while work is not None:
                work.run()
                work = None  # frees its request while this thread waits
                work = self._next_work(hand) or self._wait_for_work(hand)
        finally:
            connections.close_all()

    def _next_work(self, hand: _Hand) -> _Work | None:
        """Return waiting work, or offer this thread for the next and return None."""
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            if self._is_shut_down:
                hand.put(None)
            else:
                self._idle.append(hand)
        return None

    def _wait_for_work(self, hand: _Hand) -> _Work | None:
        """Return the next work, or None if this thread is to end."""
        try:
            return hand.get(timeout=self._idle_seconds)
        except Empty:
            with self._lock:
                if hand in self._idle:
                    self._idle.remove(hand)
                    self._threads.remove(current_thread())
                    return None
            return hand.get()  # work that came at the last moment


class OneAtATimeExecutor(Executor):
    """One thread for work that takes longer in several threads than one after another.

    Work that has waited longer than ``max_wait_seconds`` goes to the ``others``, so that slow work holds up nothing for long.
    """

    def __init__(self, others: Executor, *, max_wait_seconds: float) -> None:
        self._others = others
        self._max_wait_seconds = max_wait_seconds
        self._lock = Lock()
        self._one = LastUsedFirstExecutor(1)
        self._waiting: deque[tuple[float, _Work]] = deque()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        work = _Work(Future(), lambda: fn(*args, **kwargs))
        with self._lock:
            self._waiting.append((time.monotonic(), work))
        self._one.submit(self._run_next)
        self.hand_over_late_work()
        return work.future

    def hand_over_late_work(self) -> None:
        """Give work that has waited too long to the other pool. Call it often: nothing else looks."""
        while work := self._take(submitted_before=time.monotonic() - self._max_wait_seconds):
            self._others.submit(work.run)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._one.shutdown(wait, cancel_futures=cancel_futures)

    def _run_next(self) -> None:
        if work := self._take():
            work.run()

    def _take(self, *, submitted_before: float = float("inf")) -> _Work | None:
        with self._lock:
            if not self._waiting or self._waiting[0][0] > submitted_before:
                return None
            return self._waiting.popleft()[1]
