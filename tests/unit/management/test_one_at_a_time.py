"""Reads of the API are answered one after another by one thread, and none waits long for a slow one."""

import time
from collections.abc import Iterator
from threading import Event, get_ident

import pytest

from newsletter.common.thread_pool import LastUsedFirstExecutor, OneAtATimeExecutor
from newsletter.management.server import is_api_read

SECONDS = 10


@pytest.fixture
def others() -> Iterator[LastUsedFirstExecutor]:
    pool = LastUsedFirstExecutor(3)
    yield pool
    pool.shutdown()


def test_work_is_done_by_one_thread_in_its_order(others: LastUsedFirstExecutor) -> None:
    pool, order = OneAtATimeExecutor(others, max_wait_seconds=SECONDS), list[int]()

    def work(number: int) -> int:
        order.append(number)
        return get_ident()

    assert len({future.result(SECONDS) for future in [pool.submit(work, number) for number in range(50)]}) == 1
    assert order == list(range(50))
    pool.shutdown()


def test_work_waits_for_the_work_before_it(others: LastUsedFirstExecutor) -> None:
    pool, may_end, began = OneAtATimeExecutor(others, max_wait_seconds=SECONDS), Event(), Event()
    slow, next_one = pool.submit(may_end.wait, SECONDS), pool.submit(began.set)
    pool.hand_over_late_work()
    assert not began.wait(0.1)
    may_end.set()
    assert slow.result(SECONDS)
    next_one.result(SECONDS)
    pool.shutdown()


def test_work_that_waited_too_long_goes_to_the_others_once(others: LastUsedFirstExecutor) -> None:
    pool, may_end, done = OneAtATimeExecutor(others, max_wait_seconds=0.05), Event(), list[int]()
    slow = pool.submit(may_end.wait, SECONDS)
    late = [pool.submit(done.append, number) for number in range(3)]
    time.sleep(0.1)
    pool.hand_over_late_work()
    for future in late:
        future.result(SECONDS)
    assert not slow.done()
    may_end.set()
    assert slow.result(SECONDS)
    assert pool.submit(lambda: "on").result(SECONDS) == "on"
    assert sorted(done) == [0, 1, 2]
    pool.shutdown()


def test_an_error_reaches_whoever_waits_for_it(others: LastUsedFirstExecutor) -> None:
    pool = OneAtATimeExecutor(others, max_wait_seconds=SECONDS)
    with pytest.raises(ZeroDivisionError):
        pool.submit(lambda: 1 // 0).result(SECONDS)
    assert pool.submit(lambda: "on").result(SECONDS) == "on"
    pool.shutdown()


@pytest.mark.parametrize(
    ("first_line", "expected"),
    [
        (b"GET /api/v1/people HTTP/1.1", True),
        (b"HEAD /api/v1/lists HTTP/1.1", True),
        (b"POST /api/v1/people HTTP/1.1", False),
        (b"GET /u/a-link HTTP/1.1", False),
        (b"", False),
    ],
)
def test_only_reads_of_the_api_are_for_one_thread(first_line: bytes, expected: bool) -> None:
    assert is_api_read(first_line) is expected
