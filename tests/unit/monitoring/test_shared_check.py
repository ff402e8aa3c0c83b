"""A check runs once for many callers, and nobody waits longer than they want to."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from newsletter.monitoring import shared_check
from newsletter.monitoring.shared_check import SharedCheck


def test_callers_at_the_same_time_share_one_run() -> None:
    runs = []

    def run() -> str:
        runs.append(1)
        time.sleep(0.2)
        return "well"

    check = SharedCheck(run, keep_seconds=60)
    with ThreadPoolExecutor(max_workers=8) as callers:
        assert set(callers.map(lambda _: check.get(within=5), range(8))) == {"well"}
    assert check.get(within=5) == "well"
    assert len(runs) == 1


def test_a_result_that_is_too_old_is_not_used() -> None:
    numbers = iter(range(10))
    check = SharedCheck(lambda: next(numbers), keep_seconds=0)
    assert [check.get(within=5), check.get(within=5)] == [0, 1]


def test_a_run_that_hangs_costs_only_the_first_caller_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    end = threading.Event()
    check = SharedCheck(lambda: end.wait(30), keep_seconds=60)
    assert check.get(within=0.2) is None
    with monkeypatch.context() as later:
        later.setattr(shared_check, "monotonic", lambda: time.monotonic() + 600)
        assert check.get(within=600) is None, "a caller that waits gets the result of the run"
    end.set()
    assert check.get(within=600) is True


def test_an_error_reaches_the_caller_and_is_not_kept() -> None:
    outcomes = iter([TimeoutError("no answer"), "well"])

    def run() -> str:
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    check = SharedCheck(run, keep_seconds=60)
    with pytest.raises(TimeoutError, match="no answer"):
        check.get(within=5)
    assert check.get(within=5) == "well"
