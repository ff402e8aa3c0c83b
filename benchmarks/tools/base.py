"""What the comparison needs of a tool."""

import os
import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREPARE_SECONDS = 900


class NotMeasured(Exception):
    """A tool did not do what is measured. The text says what happened."""


class Tool(ABC):
    """One sender: how to install it, to fill its database with an issue and its people, and to send."""

    name: str
    description: str
    about_kills = ""
    """What happens after a kill, for readers of the page."""
    keeps_records = True
    """False if it has no database, so that nothing can go on after a kill."""

    def __init__(self, folder: Path, *, provider_url: str) -> None:
        self.folder, self.provider_url = folder, provider_url
        folder.mkdir(parents=True, exist_ok=True)

    @classmethod
    def find_missing(cls) -> str:
        """Return a sentence that says what is missing on this machine, and how to add it. Empty: the tool can be measured."""
        return ""

    @abstractmethod
    def version(self) -> str:
        """Return the name and version of what is measured."""

    @abstractmethod
    def prepare(self, people: int) -> None:
        """Install the tool if it is missing, and store one approved issue and so many people."""

    @abstractmethod
    def send_command(self) -> list[str]:
        """Return the command that sends the issue, and is run again after a kill."""

    @abstractmethod
    def environment(self) -> dict[str, str]:
        """Return the environment of its commands."""

    def start(self) -> "subprocess.Popen[bytes]":
        """Begin to send, in a process group of its own."""
        return self._open(self.send_command())

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Run what already runs before a send begins, such as a server. Its start is not timed."""
        yield

    def kill(self, process: "subprocess.Popen[bytes]") -> None:
        """Kill the send, and what serves it, as a crash of the machine does."""
        kill_group(process)

    def count_uncertain(self) -> int | None:
        """Return for how many people the tool itself says that they may or may not have been mailed. None: it cannot say."""
        return None

    def run(self, command: list[str]) -> str:
        """Run a command of the preparation to its end, and return what it prints. Raise NotMeasured if it fails."""
        try:
            done = subprocess.run(
                command,
                env=self.environment(),
                cwd=self.folder,
                capture_output=True,
                timeout=_PREPARE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise NotMeasured(
                f"{self.name}: {' '.join(command)} did not end in {_PREPARE_SECONDS:g} seconds. See {self.folder}."
            ) from None
        if done.returncode:
            raise NotMeasured(f"{self.name}: {' '.join(command)} failed: {done.stderr.decode()[-2000:]}")
        return done.stdout.decode()

    def _open(self, command: list[str], *, log: str = "send.log") -> "subprocess.Popen[bytes]":
        """Start a command in a process group of its own. What it prints goes to a file of the folder."""
        with (self.folder / log).open("ab") as output:
            return subprocess.Popen(
                command,
                env=self.environment(),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def plain_environment() -> dict[str, str]:
    """Return this process's environment without settings of any of the tools."""
    left_out = ("NEWSLETTER_", "DATABASE_", "DJANGO_", "PYTHON")
    return {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
