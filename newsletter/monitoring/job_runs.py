"""The jobs of this process: the end of each job's last good run or rest, and whether the last run failed."""

import threading
from collections.abc import Mapping
from datetime import datetime
from typing import TypedDict


class JobRun(TypedDict):
    """The runs of one job. Times are ISO 8601. ``done_at`` is the end of the last good run, or the last rest after it."""

    every: float
    done_at: str | None
    failed: bool
    running_since: str | None


_lock = threading.Lock()
_runs: dict[str, JobRun] = {}


def expect_jobs(intervals: Mapping[str, float]) -> None:
    """Forget all runs and expect these jobs, each with its interval in seconds."""
    with _lock:
        _runs.clear()
        _runs.update({name: _make(every) for name, every in intervals.items()})


def note_start(name: str, *, every: float, now: datetime) -> None:
    with _lock:
        _runs.setdefault(name, _make(every))["running_since"] = now.isoformat()


def note_end(name: str, *, failed: bool, now: datetime) -> None:
    """Note the end of a run that `note_start` noted. A run that began before `expect_jobs` is no longer known."""
    with _lock:
        run = _runs.get(name)
        if run is None:
            return
        run["running_since"], run["failed"] = None, failed
        if not failed:
            run["done_at"] = now.isoformat()


def note_rest(name: str, *, now: datetime) -> None:
    """Note that the job has nothing to do, which is as good as a run. A job that failed does not rest."""
    with _lock:
        run = _runs.get(name)
        if run is not None:
            run["done_at"] = now.isoformat()


def copy_runs() -> dict[str, JobRun]:
    """Return a copy, for another thread to store."""
    with _lock:
        return {name: run.copy() for name, run in _runs.items()}


def _make(every: float) -> JobRun:
    return JobRun(every=every, done_at=None, failed=False, running_since=None)
