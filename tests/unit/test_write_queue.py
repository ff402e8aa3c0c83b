"""The queue of connections that want to write to one SQLite file: first come, first served."""

import gc
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from newsletter.common.database.write_queue import WriteQueue, queue_of_file


class Owner:
    """Stands for a connection."""


def wait_until_waiting(queue: WriteQueue, number: int) -> None:
    for _ in range(1000):
        if queue.count_waiting() == number:
            return
        time.sleep(0.005)
    raise AssertionError(f"{queue.count_waiting()} instead of {number} are waiting")


def enter_one_after_another(queue: WriteQueue, number: int) -> tuple[list[threading.Thread], list[int]]:
    """Let so many owners wait in threads. Return the threads, and the owners' numbers in the order of their turns."""
    turns: list[int] = []

    def take(place: int) -> None:
        owner = Owner()
        assert queue.enter(owner, seconds=20)
        turns.append(place)
        queue.end(owner)

    threads = []
    for place in range(number):
        threads.append(threading.Thread(target=take, args=(place,)))
        threads[-1].start()
        wait_until_waiting(queue, place + 1)
    return threads, turns


def test_turns_come_in_the_order_of_the_requests() -> None:
    queue, first = WriteQueue(), Owner()
    assert queue.enter(first, seconds=1)
    threads, turns = enter_one_after_another(queue, 8)
    queue.end(first)
    for thread in threads:
        thread.join()
    assert turns == list(range(8))


def test_a_waiting_writer_is_served_before_a_returning_one() -> None:
    queue, first = WriteQueue(), Owner()
    assert queue.enter(first, seconds=1)
    threads, turns = enter_one_after_another(queue, 1)
    queue.end(first)
    assert queue.enter(first, seconds=20)
    assert turns == [0]
    threads[0].join()


def test_a_wait_ends_after_its_time_and_leaves_the_queue() -> None:
    queue, first, second, third = WriteQueue(), Owner(), Owner(), Owner()
    assert queue.enter(first, seconds=1)
    assert not queue.enter(second, seconds=0.05)
    assert queue.count_waiting() == 0
    queue.end(second)  # which has no turn to end
    assert not queue.enter(third, seconds=0.05)
    queue.end(first)
    assert queue.enter(third, seconds=0)


def test_a_turn_ends_when_its_connection_is_gone() -> None:
    queue, first, second, third = WriteQueue(), Owner(), Owner(), Owner()
    assert queue.enter(first, seconds=1)
    del first
    gc.collect()
    assert queue.enter(second, seconds=0)
    threads, turns = enter_one_after_another(queue, 1)
    del second
    gc.collect()
    threads[0].join()
    assert turns == [0]
    assert queue.enter(third, seconds=0)


def test_files_have_queues_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "linked").symlink_to(tmp_path / "one.sqlite3")
    assert queue_of_file(str(tmp_path / "one.sqlite3")) is queue_of_file(str(tmp_path / "linked"))
    assert queue_of_file(str(tmp_path / "one.sqlite3")) is not queue_of_file(str(tmp_path / "two.sqlite3"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no forks")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_does_not_wait_for_turns_of_its_parent(tmp_path: Path) -> None:
    queue, ours, theirs = queue_of_file(str(tmp_path / "one.sqlite3")), Owner(), Owner()
    assert queue.enter(ours, seconds=1)
    child = os.fork()
    if not child:
        os._exit(0 if queue.enter(theirs, seconds=0) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert not queue.enter(theirs, seconds=0)


def test_an_owner_that_has_the_turn_does_not_wait_for_itself() -> None:
    queue, first = WriteQueue(), Owner()
    assert queue.enter(first, seconds=1)
    threads, turns = enter_one_after_another(queue, 1)
    assert queue.enter(first, seconds=0)
    assert turns == []
    queue.end(first)
    threads[0].join()
    assert turns == [0]


class Interrupt(BaseException):
    """Replace KeyboardInterrupt, which would end the test run."""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers that interrupt")
def test_an_interrupted_wait_leaves_the_queue() -> None:
    def interrupt(*_: object) -> None:
        raise Interrupt

    queue, first, second = WriteQueue(), Owner(), Owner()
    assert queue.enter(first, seconds=1)
    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(Interrupt):
            queue.enter(second, seconds=20)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert queue.count_waiting() == 0
    queue.end(first)
    assert queue.enter(Owner(), seconds=0)
