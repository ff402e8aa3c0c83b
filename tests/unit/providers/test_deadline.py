"""One thread ends all calls to providers whose time is up, and touches no call that has ended."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from newsletter.providers.base import deadline as deadlines
from newsletter.providers.base.deadline import Deadline, DeadlineWatcher


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
    with Deadline(seconds=60):
        for _ in range(50):
            with Deadline(seconds=30):
                pass
    assert started == ["deadlines"]


def test_a_call_ends_in_time_although_an_earlier_one_may_take_longer(
    watcher: DeadlineWatcher, connect: Callable[[], Connection]
) -> None:
    slow, quick = connect(), connect()
    with Deadline(seconds=60) as patient:
        patient.watch(slow)
        with Deadline(seconds=0.05) as short:
            short.watch(quick)
            assert quick.sock.recv(1) == b"", "The connection is shut down."
        assert (short.has_passed, patient.has_passed) == (True, False)
        slow.peer.send(b"x")
        assert slow.sock.recv(1) == b"x"


def test_a_call_that_ended_in_time_keeps_its_connection(
    watcher: DeadlineWatcher, connect: Callable[[], Connection]
) -> None:
    """The connection may serve the next call."""
    connection = connect()
    with Deadline(seconds=0.02) as first:
        first.watch(connection)
    with Deadline(seconds=0.1):
        time.sleep(0.08)
        connection.peer.send(b"x")
        assert connection.sock.recv(1) == b"x"
    assert not first.has_passed


def test_the_thread_ends_without_calls_and_starts_again_with_one(watcher: DeadlineWatcher, started: list[str]) -> None:
    for number in (1, 2):
        with Deadline(seconds=60):
            assert watcher._thread is not None
        wait_for(lambda: watcher._thread is None)
        assert len(started) == number


def test_a_thread_that_died_is_replaced(watcher: DeadlineWatcher) -> None:
    dead = threading.Thread(target=lambda: None)
    dead.start()
    dead.join()
    watcher._thread = dead
    with Deadline(seconds=0.05) as short:
        wait_for(lambda: short.has_passed)


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
