"""A process that acts as staff in a soak and reports when each action was done."""

import json
import select
import subprocess
import sys

from tests.support.processes import Installation

ANSWER_SECONDS = 20.0
START_SECONDS = 60.0


class StaffProcess:
    """A process that erases, moves and resumes: see tests/soak/staff_changes.py. Call ``end`` when done."""

    def __init__(self, here: Installation) -> None:
        self._here = here
        self._process = self._start()

    def do(self, what: str, number: int = 0) -> bool:
        """Return True if it was done and committed. Restart a process that does not answer in time."""
        if self._process.poll() is not None:
            self._process = self._start()
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"what": what, "number": number}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return False
        return self._hear(self._process, seconds=ANSWER_SECONDS)

    def end(self) -> None:
        self._process.kill()
        self._process.wait(10)

    def _hear(self, process: "subprocess.Popen[str]", *, seconds: float) -> bool:
        assert process.stdout is not None
        if not select.select([process.stdout], [], [], seconds)[0]:
            process.kill()
            process.wait(10)
            return False
        line = process.stdout.readline()
        return bool(line) and bool(json.loads(line)["done"])

    def _start(self) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.soak.staff_changes"],
            env=self._here.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            bufsize=1,
            start_new_session=True,
        )
        self._hear(process, seconds=START_SECONDS)
        return process
