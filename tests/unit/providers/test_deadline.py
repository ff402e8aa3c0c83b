"""One thread ends all calls to providers whose time is up, and touches no call that has ended."""

import math
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from newsletter.providers.base import deadline as deadlines
from newsletter.providers.base.deadline import Deadline, DeadlineUnavailable, DeadlineWatcher, watch_connection
from tests.support.no_threads import refuse_threads


@pytest.fixture
def watcher(monkeypatch: pytest.MonkeyPatch) -> DeadlineWatcher:
    made = DeadlineWatcher(idle_seconds=0.05)
    monkeypatch.setattr(deadlines, "_watcher", made)
    return made


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the threads that are started."""
    names: list[str] = []
    start = threading.Thread.start

    def note(thread: threading.Thread) -> None:
        names.append(thread.name)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", note)
    return names


class Connection:
    def __init__(self) -> None:
        self.sock, self.peer = socket.socketpair()

    def close(self) -> None:
        self.sock.close()
        self.peer.close()


@pytest.fixture
def connect() -> Iterator[Callable[[], Connection]]:
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(Connection()))


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)


def test_calls_that_follow_each_other_share_one_thread(watcher: DeadlineWatcher, started: list[str]) -> None:
    watcher._idle_seconds = 60.0
    for _ in range(50):
        with Deadline(seconds=30):
            pass
    assert started == ["deadlines"]


def test_a_call_ends_in_time_although_an_earlier_one_may_take_longer(
    watcher: DeadlineWatcher, connect: Callable[[], Connection]
) -> None:
    slow, quick = connect(), connect()
    short = Deadline(seconds=0.05)
    short.watch(quick)  # before its time begins
    with Deadline(seconds=60) as patient:
        patient.watch(slow)
        with short:
            assert quick.sock.recv(1) == b"", "The connection is shut down."
        assert (short.has_passed, patient.has_passed) == (True, False)
        slow.peer.send(b"x")
        assert slow.sock.recv(1) == b"x"


class Clock:
    """The time of a watcher, whose thread looks when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0
        self.watcher = DeadlineWatcher(idle_seconds=10.0, clock=lambda: self.now)

    def advance(self, now: float, *, until: Callable[[], bool]) -> None:
        self.now = now
        with self.watcher._changed:
            self.watcher._changed.notify()
        wait_for(until)

    def looks_next_at(self, moment: float) -> Callable[[], bool]:
        return lambda: self.watcher._wakes_at == moment


@pytest.fixture
def clock() -> Iterator[Clock]:
    made = Clock()
    yield made
    with made.watcher._changed:
        made.watcher._running.clear()
    made.advance(math.inf, until=lambda: made.watcher._thread is None)


def make_deadline(*, ends_at: float) -> Deadline:
    deadline = Deadline(seconds=60)
    deadline.ends_at = ends_at
    return deadline


def test_calls_with_short_gaps_share_one_thread(clock: Clock, started: list[str]) -> None:
    for now in (0.0, 9.0, 18.0, 27.0):
        clock.now = now
        call = make_deadline(ends_at=now + 95.0)
        clock.watcher.add(call)
        clock.watcher.remove(call)
        # It looks when this call has ended and no other has begun.
        clock.advance(now + 5.0, until=clock.looks_next_at(now + 10.0))
    assert started == ["deadlines"]


def test_the_thread_ends_after_the_idle_time_not_the_calls_limit(clock: Clock) -> None:
    call = make_deadline(ends_at=95.0)
    clock.watcher.add(call)
    wait_for(clock.looks_next_at(10.0))
    clock.now = 3.0
    clock.watcher.remove(call)
    clock.advance(10.0, until=clock.looks_next_at(13.0))
    assert clock.watcher._thread is not None
    clock.advance(13.0, until=lambda: clock.watcher._thread is None)


def test_the_thread_stays_while_a_call_lasts(clock: Clock) -> None:
    call = make_deadline(ends_at=95.0)
    clock.watcher.add(call)
    clock.advance(50.0, until=clock.looks_next_at(60.0))
    clock.advance(90.0, until=clock.looks_next_at(95.0))
    assert not call.has_passed
    clock.advance(95.0, until=lambda: call.has_passed)


def test_the_thread_ends_without_calls_and_starts_again_with_one(watcher: DeadlineWatcher, started: list[str]) -> None:
    for number in (1, 2):
        with Deadline(seconds=60):
            assert watcher._thread is not None
        wait_for(lambda: watcher._thread is None)
        assert len(started) == number


def test_a_call_that_ended_in_time_keeps_its_connection(
    clock: Clock, connect: Callable[[], Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection may serve the next call."""
    monkeypatch.setattr(deadlines, "_watcher", clock.watcher)
    connection = connect()
    with Deadline(seconds=60) as first:
        first.watch(connection)
        first.ends_at = 5.0
    clock.advance(12.0, until=lambda: clock.watcher._thread is None)
    connection.peer.send(b"x")
    assert connection.sock.recv(1) == b"x"
    assert not first.has_passed


def test_a_thread_that_died_is_replaced(watcher: DeadlineWatcher) -> None:
    dead = threading.Thread(target=lambda: None)
    dead.start()
    dead.join()
    watcher._thread = dead
    with Deadline(seconds=0.05) as short:
        wait_for(lambda: short.has_passed)


def test_a_call_does_not_begin_if_no_thread_can_be_started(
    watcher: DeadlineWatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_threads(monkeypatch)
    with pytest.raises(DeadlineUnavailable, match="could not start a thread"), Deadline(seconds=60):
        pytest.fail("The call began.")
    assert (watcher._running, watcher._thread) == (set(), None)
    watch_connection(object())
    assert deadlines.find_seconds_left() is None


def test_one_call_that_cannot_be_ended_leaves_the_others_their_end(
    watcher: DeadlineWatcher, connect: Callable[[], Connection], caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        @property
        def sock(self) -> socket.socket:
            raise ValueError("a defect")

    connection = connect()
    connection.sock.settimeout(10)
    broken, other = Deadline(seconds=0.05), Deadline(seconds=0.2)
    broken.watch(Broken())
    other.watch(connection)
    with broken, other:
        assert connection.sock.recv(1) == b"", "The connection is shut down."
    assert (broken.has_passed, other.has_passed) == (True, True)
    assert "could not be ended" in caplog.text


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_process_ends_its_own_calls() -> None:
    """The thread is not in it, and the lock may be held by a thread that is not in it either."""
    with Deadline(seconds=60):
        assert deadlines._watcher._thread is not None
        lock: Any = deadlines._watcher._changed
        with lock:
            child = os.fork()
            if child == 0:
                with Deadline(seconds=0.05) as short:
                    until = time.monotonic() + 10
                    while not short.has_passed and time.monotonic() < until:
                        time.sleep(0.01)
                os._exit(0 if short.has_passed else 1)
        assert os.waitpid(child, 0)[1] == 0
