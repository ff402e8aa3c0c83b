"""How long each test file took when it last ran here, for `tests.support.nearest_tests`."""

import json
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TIMES = ROOT / ".pytest_cache" / "file_times.json"

_seconds: defaultdict[str, float] = defaultdict(float)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _seconds[report.nodeid.partition("::")[0]] += report.duration


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Keep the times of this run. A worker process of pytest-xdist leaves that to the process that started it."""
    if hasattr(session.config, "workerinput") or not _seconds:
        return
    TIMES.parent.mkdir(exist_ok=True)
    TIMES.write_text(json.dumps(read_file_times() | _seconds), encoding="utf-8")


def read_file_times() -> dict[str, float]:
    """Return seconds by test file, for those that ran here."""
    times: dict[str, float] = json.loads(TIMES.read_text(encoding="utf-8")) if TIMES.exists() else {}
    return times
