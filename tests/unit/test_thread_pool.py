"""The pool of threads that serves pages: the thread that worked last works next, and none is lost."""

import threading
import time
from concurrent.futures import Future, wait
from threading import Event, get_ident

import pytest
from django.db import connections

from newsletter.common.thread_pool import LastUsedFirstExecutor

SECONDS = 60


def test_the_thread_that_worked_last_works_next() -> None:
    pool = LastUsedFirstExecutor(3)
    released = Event()
    together = [pool.submit(_identify_after, released) for _ in range(3)]
    released.set()
    assert len({future.result(SECONDS) for future in together}) == 3
    last = _submit_when_idle(pool, 3)
    assert {_submit_when_idle(pool, 3) for _ in range(20)} == {last}


def test_no_more_threads_start_than_allowed_and_all_work_is_done() -> None:
    pool = LastUsedFirstExecutor(2)
    futures = [pool.submit(lambda number: (number, get_ident()), number) for number in range(200)]
    done = [future.result(SECONDS) for future in futures]
    assert [number for number, _ in done] == list(range(200))
    assert len({thread for _, thread in done}) <= 2


def test_an_error_reaches_whoever_waits_and_the_thread_works_on() -> None:
    pool = LastUsedFirstExecutor(1)
    with pytest.raises(ZeroDivisionError):
        pool.submit(lambda: 1 // 0).result(SECONDS)
    assert pool.submit(lambda: "on").result(SECONDS) == "on"


def test_cancelled_work_is_not_done() -> None:
    pool, released, ran = LastUsedFirstExecutor(1), Event(), Event()
    first = pool.submit(released.wait, SECONDS)
    second = pool.submit(ran.set)
    assert second.cancel()
    released.set()
    assert first.result(SECONDS)
    pool.shutdown()
    assert not ran.is_set()


def test_a_shutdown_ends_the_threads_after_the_work_that_was_taken() -> None:
    pool, released = LastUsedFirstExecutor(2), Event()
    futures: list[Future[bool]] = [pool.submit(released.wait, SECONDS) for _ in range(5)]
    pool.shutdown(wait=False)
    with pytest.raises(RuntimeError, match="after its shutdown"):
        pool.submit(released.wait)
    threads = list(pool._threads)
    released.set()
    assert wait(futures, SECONDS).not_done == set()
    pool.shutdown()
    assert len(threads) == 2
    assert not any(thread.is_alive() for thread in threads)


def test_a_shutdown_can_cancel_what_waits() -> None:
    pool, released = LastUsedFirstExecutor(1), Event()
    first, second = pool.submit(released.wait, SECONDS), pool.submit(released.wait, SECONDS)
    pool.shutdown(wait=False, cancel_futures=True)
    released.set()
    assert first.result(SECONDS)
    assert second.cancelled()


def _submit_when_idle(pool: LastUsedFirstExecutor, threads: int) -> int:
    """Return which thread worked, after all of them are idle: a result is there a moment before its thread is."""
    deadline = time.monotonic() + SECONDS
    while len(pool._idle) < threads and time.monotonic() < deadline:
        time.sleep(0.001)
    return pool.submit(get_ident).result(SECONDS)


def _identify_after(released: Event) -> int:
    released.wait(SECONDS)
    return get_ident()


def test_a_thread_without_work_ends_and_a_new_one_does_later_work() -> None:
    pool = LastUsedFirstExecutor(2, idle_seconds=0.05)
    first = pool.submit(threading.current_thread).result(SECONDS)
    first.join(SECONDS)
    assert not first.is_alive()
    assert len(pool._threads) + len(pool._idle) == 0
    assert pool.submit(threading.current_thread).result(SECONDS) is not first


def test_no_work_is_lost_while_threads_end() -> None:
    pool = LastUsedFirstExecutor(3, idle_seconds=0.001)
    done = []
    for number in range(300):
        done.append(pool.submit(lambda number: number, number).result(SECONDS))
        time.sleep(number % 4 * 0.0005)
    assert done == list(range(300))
    pool.shutdown()


def test_a_thread_that_ends_closes_its_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    closed_by: list[threading.Thread] = []
    monkeypatch.setattr(connections, "close_all", lambda: closed_by.append(threading.current_thread()))
    pool = LastUsedFirstExecutor(1, idle_seconds=0.05)
    thread = pool.submit(threading.current_thread).result(SECONDS)
    thread.join(SECONDS)
    assert closed_by.count(thread) == 1
