"""Record how long each test file took in its last whole run, for `tests.support.nearest_tests`."""

import json
import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TIMES = ROOT / ".pytest_cache" / "file_times.json"
LEFT_OUT_MARKS = ("long", "browser")
"""The marks of tests that `make check` leaves out."""

_seconds: defaultdict[str, float] = defaultdict(float)
_partly_run: set[str] = set()


def pytest_deselected(items: Iterable[pytest.Item]) -> None:
    """Note the files of which something does not run that `make check` runs: their times would be too short."""
    _partly_run.update(
        _name_file(item.nodeid) for item in items if not any(map(item.get_closest_marker, LEFT_OUT_MARKS))
    )


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _seconds[_name_file(report.nodeid)] += report.duration


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over the notes of a worker process of pytest-xdist. Only it collects the tests."""
    _partly_run.update(getattr(node, "workeroutput", {}).get("partly_run", ()))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Keep the times of this run. A worker process of pytest-xdist leaves that to the process that started it."""
    if hasattr(session.config, "workerinput"):
        session.config.workeroutput["partly_run"] = sorted(_partly_run)  # type: ignore[attr-defined]
        return
    of_single_tests = any("::" in argument for argument in session.config.args)
    whole = {file: seconds for file, seconds in _seconds.items() if file not in _partly_run}
    if whole and not (of_single_tests or session.shouldstop or session.shouldfail):
        write_file_times(read_file_times() | whole)


def read_file_times(path: Path | None = None) -> dict[str, float]:
    """Return seconds by test file, for those that ran here. A file that cannot be read holds none."""
    try:
        times = json.loads((path or TIMES).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return times if isinstance(times, dict) else {}


def write_file_times(times: dict[str, float], path: Path | None = None) -> None:
    """Write beside the file and replace it, so that a run at the same time reads the old one or the new one."""
    path = path or TIMES
    path.parent.mkdir(exist_ok=True)
    beside = path.with_suffix(f".{os.getpid()}")
    beside.write_text(json.dumps(times), encoding="utf-8")
    beside.replace(path)


def _name_file(name: str) -> str:
    return name.partition("::")[0]
