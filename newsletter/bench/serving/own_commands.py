"""Run the program's own commands and servers with settings of their own."""

import os
import subprocess
import sys
from pathlib import Path

import requests

from newsletter.bench.errors import NotMeasured

NEWSLETTER = (sys.executable, "-m", "newsletter.project.cli")
READY_SECONDS = 120
STOP_SECONDS = 60
_ADMITTED = ("HOME", "LANG", "MALLOC_ARENA_MAX", "PATH")


def answers(port: int) -> bool:
    """Return True if the sign-in page is served."""
    try:
        return requests.get(f"http://127.0.0.1:{port}/admin/login/", timeout=READY_SECONDS).status_code == 200
    except requests.ConnectionError:
        return False


def run_command(*arguments: str, environment: dict[str, str], folder: Path, seconds: float = READY_SECONDS) -> None:
    """Run a command of the program to its end. Raise NotMeasured if it fails or does not end in so many seconds."""
    name = " ".join(["newsletter", *arguments])
    try:
        run = subprocess.run(  # noqa: S603 - our own command
            [*NEWSLETTER, *arguments], env=environment, cwd=folder, capture_output=True, timeout=seconds
        )
    except subprocess.TimeoutExpired as error:
        raise NotMeasured(
            f"{name} did not end in {seconds:g} seconds, so there is no figure for it. Measure again on a less busy machine."
        ) from error
    if run.returncode:
        raise NotMeasured(f"{name} failed, so there is no figure for it: {run.stderr.decode().strip()}")


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
    variables = {name: value for name, value in os.environ.items() if name in _ADMITTED}
    return {**variables, "NEWSLETTER_DATA_DIR": str(folder)}
