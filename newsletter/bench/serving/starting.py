"""Measure how long commands take to start, and an empty folder until it serves a page."""

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from newsletter.bench.errors import NotMeasured
from newsletter.bench.serving.first_call import measure_first_call
from newsletter.bench.serving.own_commands import (
    NEWSLETTER,
    READY_SECONDS,
    answers,
    make_environment,
    run_command,
    stop_process,
)
from newsletter.bench.serving.web import find_free_port

COMMANDS = (("--help",), ("status",), ("doctor", "--quick"), ("staff", "list"))
_LOOK_SECONDS = 0.02


@dataclass(frozen=True)
class StartFigures:
    """The median milliseconds of several starts of each command, by the clock and of processor time.

    The seconds are until an empty folder serves a page, and until `send --now` of an issue to 1,500 people calls the provider.
    """

    milliseconds: dict[str, float]
    processor_milliseconds: dict[str, float]
    first_page_seconds: float
    first_call_seconds: float
    send_processor_seconds: float


def measure_start(*, times: int = 5) -> StartFigures:
    """Start commands and a server in new folders, with settings of their own."""
    first_call, send_processor = measure_first_call()
    with TemporaryDirectory(prefix="newsletter-start-") as folder:
        first_page = _serve_first_page(Path(folder))
        took = {" ".join(command): [_start(command, Path(folder)) for _ in range(times)] for command in COMMANDS}
    return StartFigures(
        milliseconds=_find_medians({name: [clock for clock, _ in runs] for name, runs in took.items()}),
        processor_milliseconds=_find_medians(
            {name: [processor for _, processor in runs] for name, runs in took.items()}
        ),
        first_page_seconds=round(first_page, 2),
        first_call_seconds=round(first_call, 2),
        send_processor_seconds=round(send_processor, 2),
    )


def _find_medians(seconds: dict[str, list[float]]) -> dict[str, float]:
    return {name: round(median(runs) * 1000, 1) for name, runs in seconds.items()}


def _start(command: tuple[str, ...], folder: Path) -> tuple[float, float]:
    """Run a command and return its seconds, by the clock and of processor time."""
    started, before = time.perf_counter(), os.times()
    run_command(*command, environment=make_environment(folder), folder=folder)
    took, after = time.perf_counter() - started, os.times()
    return took, after.children_user + after.children_system - before.children_user - before.children_system


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
