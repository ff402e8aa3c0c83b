"""A measurement ends the server that it started, also one that does not end when asked."""

import signal
import subprocess
import sys

from newsletter.bench.serving.own_commands import stop_process


def test_a_server_that_ignores_the_request_to_end_is_killed() -> None:
    ignore = "import signal, sys, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", ignore], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        server.stdout.readline()
        stop_process(server, seconds=0.1)
        assert server.returncode == -signal.SIGKILL


def test_a_server_that_ends_when_asked_is_not_killed() -> None:
    with subprocess.Popen(["sleep", "60"]) as server:
        stop_process(server, seconds=20)
        assert server.returncode == -signal.SIGTERM
