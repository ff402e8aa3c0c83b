"""Runs work in a second thread while the first is inside a transaction."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import pytest
from django.db import connection


def run_meanwhile(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, work: Callable[[], object], pool: ThreadPoolExecutor
) -> list[Future[object]]:
    """Start ``work`` in a thread when the function is called, and call it two seconds later if the work still waits."""
    original, started = getattr(module, name), list[Future[object]]()

    def in_thread() -> object:
        try:
            return work()
        finally:
            connection.close()

    def call_later(*args: object, **named: object) -> object:
        if not started:
            started.append(pool.submit(in_thread))
            wait(started, timeout=2)
        return original(*args, **named)

    monkeypatch.setattr(module, name, call_later)
    return started
