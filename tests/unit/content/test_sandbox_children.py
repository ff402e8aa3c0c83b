"""A sandbox replaces, ends and kills its child. A program that returns each request is the child here; it starts at once."""

import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.content.parsing.sandbox import process as sandbox_process
from newsletter.content.parsing.sandbox.child import READY, write_message
from newsletter.content.parsing.sandbox.process import SandboxProcess

pytestmark = pytest.mark.requirement("X7")


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxProcess]:
    ready = io.BytesIO()
    write_message(ready, READY)
    (tmp_path / "ready").write_bytes(ready.getvalue())
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\nexec cat '{tmp_path}/ready' -\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    made = SandboxProcess()
    yield made
    made.close()


def start_child(sandbox: SandboxProcess) -> int:
    assert sandbox.run("first") == "first"
    assert sandbox.pid is not None
    return sandbox.pid


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_child_that_was_ended_is_replaced_before_the_next_request(sandbox: SandboxProcess) -> None:
    first = start_child(sandbox)
    os.kill(first, signal.SIGTERM)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    assert sandbox.run("second") == "second"
    assert sandbox.pid != first


def test_a_child_keeps_serving_until_it_is_closed_and_then_exits(sandbox: SandboxProcess) -> None:
    first = start_child(sandbox)
    assert (sandbox.run("second"), sandbox.pid) == ("second", first)
    sandbox.close()
    assert not is_running(first)
    assert sandbox.run("third") == "third"


def test_a_stopped_child_that_does_not_exit_is_killed(sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_process, "_EXIT_SECONDS", 0)
    first = start_child(sandbox)
    os.kill(first, signal.SIGSTOP)
    sandbox.close()
    assert not is_running(first)


def test_a_fork_during_a_request_has_a_lock_and_a_child_of_its_own(sandbox: SandboxProcess) -> None:
    first = start_child(sandbox)
    taken, over = threading.Event(), threading.Event()

    def hold_the_lock() -> None:
        with sandbox._lock:
            taken.set()
            over.wait(30)

    holder = threading.Thread(target=hold_the_lock)
    holder.start()
    taken.wait(30)
    fork = os.fork()
    if fork == 0:
        _use_in_fork(sandbox, parents=first)
    _, status = os.waitpid(fork, 0)
    over.set()
    holder.join()
    assert os.waitstatus_to_exitcode(status) == 0
    assert (sandbox.run("second"), sandbox.pid) == ("second", first)


def _use_in_fork(sandbox: SandboxProcess, *, parents: int) -> None:
    """Exit with 0 if the sandbox works here with another child. A lock that nobody gives back ends the fork."""
    signal.alarm(5)
    works = False
    try:
        works = sandbox.run("forked") == "forked" and sandbox.pid != parents
        sandbox.close()
    finally:
        os._exit(0 if works else 1)
