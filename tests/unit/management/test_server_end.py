"""The serving process ends with the right status and log lines, on the right signals."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.processes import Process, open_process, wait_until

SECONDS = 60
pytestmark = pytest.mark.long


@contextmanager
def run_bare_server(folder: Path, *faults: str, before: tuple[str, ...] = ()) -> Iterator[tuple[Process, int]]:
    """Yield the process and its port. ``before`` is a command that runs the server."""
    port = free_port()
    log = folder / "server.log"
    command = [*before, sys.executable, "-m", "tests.support.bare_server", str(port), *faults]
    process = Process(open_process(command, env=_env(folder), log=log), log=log)
    try:
        yield process, port
    finally:
        process.kill()


def _env(folder: Path) -> dict[str, str]:
    return {**os.environ, "NEWSLETTER_DATA_DIR": str(folder), "DATABASE_URL": f"sqlite:///{folder / 'n.sqlite3'}"}


def wait_for(process: Process, text: str) -> None:
    wait_until(lambda: text in process.said() or not process.running, seconds=SECONDS, what=text)
    assert text in process.said()


def ask(port: int, path: str = "/page") -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as page:
        return str(page.read().decode())


def answers(port: int) -> bool:
    try:
        return ask(port) == "/page"
    except OSError:
        return False


@pytest.mark.parametrize("faults", [("broken",), ("broken", "call-goes-on")])
def test_a_crash_ends_with_status_1_and_a_traceback(tmp_path: Path, faults: tuple[str, ...]) -> None:
    with run_bare_server(tmp_path, *faults) as (process, _):
        assert process.popen.wait(SECONDS) == 1, process.said()
        assert "RuntimeError: The disk is gone." in process.said()
        assert "stopping" in process.said()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_during_a_call_has_status_0_and_a_warning(tmp_path: Path, number: int) -> None:
    with run_bare_server(tmp_path, "call-goes-on") as (process, port):
        wait_until(lambda: answers(port), seconds=SECONDS, what="the page")
        os.kill(process.popen.pid, number)
        assert process.popen.wait(SECONDS) == 0, process.said()
        assert "A call did not end in time." in process.said()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stop_does_not_wait_for_clients_before_it_reaches_the_engine(tmp_path: Path, number: int) -> None:
    with run_bare_server(tmp_path) as (process, port):
        wait_until(lambda: answers(port), seconds=SECONDS, what="the page")
        with socket.create_connection(("127.0.0.1", port)) as slow:
            slow.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nbegun")
            ask(port)
            os.kill(process.popen.pid, number)
            wait_until(lambda: "stopping" in process.said(), seconds=SECONDS, what="the end of the engine")
            assert process.running, "the request that has begun is awaited"
            slow.sendall(b"." * 95)
            assert b"200 OK" in slow.recv(1000)
        assert process.popen.wait(SECONDS) == 0
        assert process.said().count("stopping") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_stopped_while_it_loads_starts_no_engine(tmp_path: Path, number: int) -> None:
    with run_bare_server(tmp_path, "slow-load") as (process, _):
        wait_for(process, "loading")
        os.kill(process.popen.pid, number)
        assert process.popen.wait(SECONDS) == 0, process.said()
        assert "started" not in process.said()


def test_a_server_under_nohup_continues_when_its_terminal_closes(tmp_path: Path) -> None:
    with run_bare_server(tmp_path, "under-nohup", before=("nohup",)) as (process, port):
        wait_until(lambda: answers(port), seconds=SECONDS, what="the page")
        os.kill(process.popen.pid, signal.SIGHUP)
        with pytest.raises(subprocess.TimeoutExpired):
            process.popen.wait(4)
        assert ask(port) == "/page"


def test_a_failing_accept_is_logged_once_and_tried_every_second(tmp_path: Path) -> None:
    with run_bare_server(tmp_path, "accept-fails") as (process, port):
        wait_for(process, "started")
        assert ask(port) == "/page"
        assert 1 <= process.said().count("accept fails") <= 5
        assert process.said().count("New connections could not be accepted") == 1
        assert process.terminate() == 0


def test_a_server_that_can_accept_nothing_ends_like_one_that_hangs(tmp_path: Path) -> None:
    with run_bare_server(tmp_path, "accept-fails-for-ever") as (process, port):
        wait_for(process, "started")
        with pytest.raises(OSError):
            ask(port)
        assert process.popen.wait(SECONDS) == 1
        assert "New connections could not be accepted" in process.said()
        assert "The web server hangs" in process.said()
        assert "stopping" in process.said(), "calls may end before"


def test_one_failed_accept_without_another_client_ends_nothing(tmp_path: Path) -> None:
    with run_bare_server(tmp_path, "accept-fails-once") as (process, port):
        wait_for(process, "started")
        with pytest.raises(OSError):
            ask(port)
        with pytest.raises(subprocess.TimeoutExpired):
            process.popen.wait(8)
        assert ask(port) == "/page"
        assert process.terminate() == 0, process.said()


@pytest.mark.parametrize("faults", [(), ("stop-hangs",)])
def test_a_server_whose_event_loop_hangs_ends_with_status_1(tmp_path: Path, faults: tuple[str, ...]) -> None:
    with run_bare_server(tmp_path, *faults) as (process, port):
        wait_until(lambda: answers(port), seconds=SECONDS, what="the page")
        with pytest.raises(OSError):
            ask(port, "/hang")
        assert process.popen.wait(SECONDS) == 1
        assert "The web server hangs" in process.said()
        assert "stopping" in process.said(), "calls may end before"


def test_a_server_that_was_suspended_does_not_count_as_hanging(tmp_path: Path) -> None:
    with run_bare_server(tmp_path) as (process, port):
        wait_until(lambda: answers(port), seconds=SECONDS, what="the page")
        process.pause()
        time.sleep(8)
        process.resume()
        time.sleep(2)
        assert ask(port) == "/page"
        assert process.terminate() == 0, process.said()
