"""Run the program's own commands and servers with settings of their own."""

import os
import subprocess
import sys
from pathlib import Path

import requests

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
