"""Measure the memory and the idle processor time of `newsletter serve` after a demo, from /proc of Linux."""

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import requests

from newsletter.bench.errors import NotMeasured
from newsletter.bench.serving.own_commands import (
    NEWSLETTER,
    READY_SECONDS,
    answers,
    make_environment,
    run_command,
    stop_process,
)
from newsletter.bench.serving.process_tree import read_memory_mb, read_processor_seconds
from newsletter.bench.serving.web import find_free_port
from newsletter.demo.sample_week import LOGIN

PAGES = ("", "issues/", "results/", "stories/", "events/", "sources/", "publications/", "people/", "lists/", "notices/")
DEMO_SECONDS = 900
SETTLE_SECONDS = 10
_CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass(frozen=True)
class MemoryFigures:
    """Megabytes (10⁶ bytes) of proportional set size, which counts shared memory once, and the percentage of one core."""

    pages: int
    after_start_mb: float
    after_pages_mb: float
    processes_mb: list[float]
    idle_percent: float


def measure_memory(*, first_runs_seconds: int, idle_seconds: int) -> MemoryFigures:
    """Run the demo in a temporary folder, then a server on it, open pages of the desk, and let it idle.

    The idle time begins after ``first_runs_seconds``: jobs that run each minute first check what the demo made.
    """
    with TemporaryDirectory(prefix="newsletter-memory-") as folder:
        environment = make_environment(Path(folder))
        _run_demo(environment, folder)
        environment["NEWSLETTER_DATA_DIR"] = f"{folder}/demo"
        port = find_free_port()
        with _serve(environment, folder, port=port) as server:
            started = read_memory_mb(server)
            opened = _open_pages(port)
            time.sleep(SETTLE_SECONDS)
            processes = read_memory_mb(server)
            time.sleep(first_runs_seconds)
            before = read_processor_seconds(server)
            time.sleep(idle_seconds)
            idle = read_processor_seconds(server) - before
    return MemoryFigures(
        pages=opened,
        after_start_mb=round(sum(started), 1),
        after_pages_mb=round(sum(processes), 1),
        processes_mb=processes,
        idle_percent=round(idle / idle_seconds * 100, 2),
    )


def _run_demo(environment: dict[str, str], folder: str) -> None:
    arguments = ("demo", "--no-serve", "--subscribers", "60")
    run_command(*arguments, environment=environment, folder=Path(folder), seconds=DEMO_SECONDS)


@contextmanager
def _serve(environment: dict[str, str], folder: str, *, port: int) -> Iterator[int]:
    """Yield the number of the server's first process once it answers."""
    with subprocess.Popen(  # noqa: S603 - our own command
        [*NEWSLETTER, "serve", "--port", str(port)],
        env=environment,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            end = time.monotonic() + READY_SECONDS
            while not answers(port):
                if server.poll() is not None or time.monotonic() > end:
                    raise NotMeasured("The server did not start.")
                time.sleep(0.1)
            time.sleep(SETTLE_SECONDS)
            yield server.pid
        finally:
            stop_process(server)


def _open_pages(port: int) -> int:
    """Sign in, open pages of the desk, and return how many. Raise NotMeasured if one does not open."""
    site = f"http://127.0.0.1:{port}"
    with requests.Session() as session:
        form = session.get(f"{site}/accounts/login/", timeout=READY_SECONDS).text
        token = _CSRF.search(form)
        data = {"login": LOGIN.email, "password": LOGIN.password, "csrfmiddlewaretoken": token[1] if token else ""}
        session.post(f"{site}/accounts/login/", data=data, timeout=READY_SECONDS)
        pages = [session.get(f"{site}/admin/{page}", timeout=READY_SECONDS) for page in PAGES]
    opened = sum(page.status_code == 200 and "/accounts/login/" not in page.url for page in pages)
    if opened < len(PAGES):
        raise NotMeasured(f"Only {opened} of {len(PAGES)} pages of the desk opened.")
    return opened
