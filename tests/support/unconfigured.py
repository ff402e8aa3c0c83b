"""Starts the product as a stranger does: in a folder with nothing but a `.env`, and an environment without its settings.

The settings of the test run (tests/support/environment.py) never reach these processes.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.time_limits import START_SECONDS

ROOT = Path(__file__).parents[2]
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
COMMAND = [sys.executable, "-m", "newsletter.project.cli"]


def make_unconfigured_environment(**more: str) -> dict[str, str]:
    """An environment without any setting of the product or of its tests."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **more}


def run_unconfigured(
    arguments: Sequence[str],
    *,
    folder: Path,
    command: Sequence[str] = COMMAND,
    umask: int = 0o022,
    given: str = "",
    **more: str,
) -> subprocess.CompletedProcess[str]:
    """`newsletter …` in this folder, with the umask of an ordinary user, and `given` by a pipe."""
    return subprocess.run(
        [*command, *arguments],
        cwd=folder,
        env=make_unconfigured_environment(**more),
        umask=umask,
        input=given,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )


@contextmanager
def start_unconfigured(
    arguments: Sequence[str], *, folder: Path, says: str, command: Sequence[str] = COMMAND, umask: int = 0o022
) -> Iterator[Path]:
    """A process that serves until the end of the block; gives its log once it `says` this. Raises AssertionError."""
    log = folder.parent / f"{folder.name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, *arguments],
            cwd=folder,
            env=make_unconfigured_environment(),
            umask=umask,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        end = time.monotonic() + START_SECONDS
        while says not in log.read_text(errors="replace"):
            if process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"it did not say “{says}”: {log.read_text(errors='replace')}")
            time.sleep(0.1)
        yield log
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(START_SECONDS)


def was_used(database: Path) -> bool:
    """Return True if the product opened this copy of `migrated_sqlite`: it turns on the write-ahead log, which stays on."""
    return database.read_bytes()[18] == 2
