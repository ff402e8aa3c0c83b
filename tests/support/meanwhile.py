"""Runs work in a second thread while the first is inside a transaction."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import pytest
from django.db import connection

_COUNT_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
_LONGEST_CHECKS = 40


def run_meanwhile(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, work: Callable[[], object], pool: ThreadPoolExecutor
) -> list[Future[object]]:
    """Start ``work`` in a thread when the function is called, and call it once the work has ended or waits for a lock."""
    original, started = getattr(module, name), list[Future[object]]()

    def call_later(*args: object, **named: object) -> object:
        if not started:
            started.append(start_in_thread(pool, work))
        return original(*args, **named)

    monkeypatch.setattr(module, name, call_later)
    return started


def start_in_thread(pool: ThreadPoolExecutor, work: Callable[[], Any]) -> Future[Any]:
    """Start the work, and return when it has ended or waits for a lock of PostgreSQL."""

    def run() -> object:
        try:
            return work()
        finally:
            connection.close()

    started = pool.submit(run)
    for _ in range(_LONGEST_CHECKS):
        if wait([started], timeout=0.05).done or _does_somebody_wait():
            break
    return started


def _does_somebody_wait() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(_COUNT_WAITING)
        return cursor.fetchone() != (0,)
