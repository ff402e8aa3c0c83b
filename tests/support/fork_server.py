"""Starts processes of the product at once: one process has read the code and the settings, each start is a fork of it.

Reading the code takes two seconds of a processor, and tests that kill start hundreds of processes. What runs in a fork is
the command itself, from the line on that a new process reaches after reading the code.
As a program, `python -m tests.support.fork_server FD`, it speaks JSON lines over that socket.
"""

import faulthandler
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.support.time_limits import START_SECONDS

COMMANDS = ("worker", "scheduler", "serve", "web", "send")


class ForkedProcess:
    """One process that was forked: what `subprocess.Popen` says of its own."""

    def __init__(self, server: "ForkServer", pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._server = server

    def poll(self) -> int | None:
        self._server.listen()
        return self.returncode

    def wait(self, timeout: float) -> int:
        end = time.monotonic() + timeout
        while self.returncode is None:
            left = end - time.monotonic()
            if left <= 0:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
            self._server.listen(seconds=min(left, 0.5))
        return self.returncode


class ForkServer:
    """Starts commands in an environment. Safe to share between threads; ``end`` when done."""

    def __init__(self, *, env: Mapping[str, str]) -> None:
        self._lock = threading.RLock()
        self._ours, theirs = socket.socketpair()
        self._heard = b""
        self._forks: dict[int, ForkedProcess] = {}
        self._answers: list[int] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.fork_server", str(theirs.fileno())],
            env=dict(env),
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        theirs.close()

    def start(self, arguments: Sequence[str], *, log: Path, stall: str = "", folder: Path) -> ForkedProcess:
        """`newsletter …` with its output in ``log``; with ``stall``, held at that point (tests/support/stall_points.py)."""
        with self._lock:
            told = {"arguments": list(arguments), "log": str(log), "stall": stall, "folder": str(folder)}
            self._ours.sendall(json.dumps(told).encode() + b"\n")
            end = time.monotonic() + START_SECONDS
            while not self._answers:
                if time.monotonic() > end:
                    raise AssertionError("the fork server started no process")
                self.listen(seconds=0.5)
            return self._forks[self._answers.pop()]

    def listen(self, *, seconds: float = 0.0) -> None:
        """Take in which processes were started and which ended."""
        with self._lock:
            while select.select([self._ours], [], [], seconds)[0]:
                seconds = 0.0
                more = self._ours.recv(65_536)
                if not more:
                    raise AssertionError("the fork server ended by itself; see its standard error")
                *lines, self._heard = (self._heard + more).split(b"\n")
                for line in lines:
                    self._take(json.loads(line))

    def end(self) -> None:
        self._ours.close()
        self._process.kill()
        self._process.wait(START_SECONDS)

    def _take(self, told: dict[str, int]) -> None:
        if "began" in told:
            self._forks[told["began"]] = ForkedProcess(self, told["began"])
            self._answers.append(told["began"])
        else:
            self._forks.pop(told["ended"]).returncode = told["status"]


def import_product_code() -> None:
    """Everything that a process of the product reads before it does anything."""
    from newsletter.project import cli

    cli._start_django(["serve"])
    from django.conf import settings
    from django.db import connections

    for name in COMMANDS:
        import_module(f"newsletter.management.commands.{name}")
    if settings.NEWSLETTER_ENGINE == "procrastinate":
        import_module("newsletter.jobs.queue_engine")
    import_module("tests.support.stall_points")
    import_module("newsletter.project.urls")
    connections.close_all()
    gc.freeze()


def serve(speaking: socket.socket) -> dict[str, Any] | None:
    """Fork as requested until the other end of the socket closes, then kill the processes that still run.

    Return the request in a fork, and None in the fork server at its end.
    """
    living: set[int] = set()
    woken, wake = socket.socketpair()
    for end in (woken, wake):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    heard = b""
    while True:
        ready, _, _ = select.select([speaking, woken], [], [])
        if woken in ready:
            with suppress(BlockingIOError):
                woken.recv(4096)
            _tell_who_ended(speaking, living)
        if speaking not in ready:
            continue
        more = speaking.recv(65_536)
        if not more:
            for pid in living:
                with suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
            return None
        *lines, heard = (heard + more).split(b"\n")
        for line in lines:
            pid = os.fork()
            living.add(pid)
            if not pid:
                os.setsid()
                _say(speaking, began=os.getpid())
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may run under nohup
                for end in (speaking, woken, wake):
                    end.close()
                told: dict[str, Any] = json.loads(line)
                return told


def _tell_who_ended(speaking: socket.socket, living: set[int]) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        living.discard(pid)
        _say(speaking, ended=pid, status=os.waitstatus_to_exitcode(status))


def _say(speaking: socket.socket, **told: int) -> None:
    with suppress(BrokenPipeError, ConnectionResetError):
        speaking.sendall(json.dumps(told).encode() + b"\n")


def run(told: dict[str, Any]) -> int:
    """The command, with its output where it belongs."""
    from newsletter.project import cli
    from tests.support import stall_points

    log = os.open(told["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.close(log)
    faulthandler.register(signal.SIGUSR1, file=2)
    if told["stall"]:
        return stall_points.main(told["stall"], told["folder"], *told["arguments"])
    return cli.main(told["arguments"])


def main(descriptor: str) -> int:
    import_product_code()
    told = serve(socket.socket(fileno=int(descriptor)))
    return run(told) if told else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
