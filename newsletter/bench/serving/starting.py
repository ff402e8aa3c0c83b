"""Measure how long commands take to start, and an empty folder until it serves a page."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import requests

from newsletter.bench.errors import NotMeasured
from newsletter.bench.serving.web import find_free_port

COMMANDS = (("--help",), ("status",), ("doctor", "--quick"), ("staff", "list"))
NEWSLETTER = (sys.executable, "-m", "newsletter.project.cli")
READY_SECONDS = 120
STOP_SECONDS = 60
_LOOK_SECONDS = 0.02
_ADMITTED = ("HOME", "LANG", "MALLOC_ARENA_MAX", "PATH")


@dataclass(frozen=True)
class StartFigures:
    """The median milliseconds of several starts of each command, and the seconds until an empty folder serves a page."""

    milliseconds: dict[str, float]
    first_page_seconds: float


def measure_start(*, times: int = 5) -> StartFigures:
    """Start commands and a server in new folders, with settings of their own."""
    with TemporaryDirectory(prefix="newsletter-start-") as folder:
        first_page = _serve_first_page(Path(folder))
        took = {" ".join(command): [_start(command, Path(folder)) for _ in range(times)] for command in COMMANDS}
    return StartFigures(
        milliseconds={name: round(median(seconds) * 1000, 1) for name, seconds in took.items()},
        first_page_seconds=round(first_page, 2),
    )


def _start(command: tuple[str, ...], folder: Path) -> float:
    """Run a command and return its seconds."""
    started = time.perf_counter()
    run = subprocess.run(  # noqa: S603 - our own command
        [*NEWSLETTER, *command], env=make_environment(folder), cwd=folder, capture_output=True, timeout=READY_SECONDS
    )
    if run.returncode:
        raise NotMeasured(f"newsletter {' '.join(command)} failed: {run.stderr.decode().strip()}")
    return time.perf_counter() - started


def _serve_first_page(folder: Path) -> float:
    """Return the seconds from the start of a server on an empty folder to its first page."""
    port, started = find_free_port(), time.perf_counter()
    command = [*NEWSLETTER, "serve", "--port", str(port)]
    with subprocess.Popen(  # noqa: S603 - our own command
        command, env=make_environment(folder), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            while time.perf_counter() - started < READY_SECONDS and server.poll() is None:
                if answers(port):
                    return time.perf_counter() - started
                time.sleep(_LOOK_SECONDS)
        finally:
            stop_process(server)
    raise NotMeasured("The server on an empty folder did not serve a page.")


def answers(port: int) -> bool:
    """Return True if the sign-in page is served."""
    try:
        return requests.get(f"http://127.0.0.1:{port}/admin/login/", timeout=READY_SECONDS).status_code == 200
    except requests.ConnectionError:
        return False


def stop_process(process: "subprocess.Popen[bytes]", *, seconds: float = STOP_SECONDS) -> None:
    """End a process. Kill it if it has not ended after so many seconds, so that nothing waits for it forever."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def make_environment(folder: Path) -> dict[str, str]:
    """Return an environment without settings but that of the data folder."""
    kept = {name: value for name, value in os.environ.items() if name in _ADMITTED}
    return {**kept, "NEWSLETTER_DATA_DIR": str(folder)}
