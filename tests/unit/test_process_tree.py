"""`bench --only memory` and the load test read the memory and time of a process tree from /proc."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from newsletter.bench.serving import process_tree
from newsletter.bench.serving.process_tree import list_processes, read_memory_mb, read_processor_seconds

THREAD_STARTS_A_CHILD = """
import subprocess, sys, threading
sleep = [sys.executable, "-c", "print('ready', flush=True); import time; time.sleep(60)"]
started = []
def start():
    started.append(subprocess.Popen(sleep, stdout=subprocess.PIPE))
    started[0].stdout.readline()
    print(started[0].pid, flush=True)
    ended.wait()
ended = threading.Event()
thread = threading.Thread(target=start)
thread.start()
sys.stdin.read()
started[0].kill()
started[0].wait()
ended.set()
"""


@contextmanager
def run_parent() -> Iterator[tuple[int, int]]:
    """Yield the numbers of a process and of the child that one of its threads started."""
    command = [sys.executable, "-c", THREAD_STARTS_A_CHILD]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        yield parent.pid, int(parent.stdout.readline())


def test_a_child_that_a_thread_started_is_in_the_tree() -> None:
    with run_parent() as (parent, child):
        assert list_processes(parent) == [parent, child]
        memory = read_memory_mb(parent)
    assert len(memory) == 2
    assert memory == sorted(memory, reverse=True)
    assert all(0 < one < 1_000 for one in memory)


def test_processes_that_ended_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    assert read_memory_mb(ended.pid) == []
    assert read_processor_seconds(ended.pid) == 0
    monkeypatch.setattr(process_tree, "list_processes", lambda first: [first, ended.pid])
    assert len(read_memory_mb(os.getpid())) == 1


def test_a_process_that_ended_but_was_not_waited_for_is_left_out() -> None:
    with subprocess.Popen(["true"], stdout=subprocess.PIPE) as ended:
        assert ended.stdout is not None
        ended.stdout.read()
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        assert read_memory_mb(ended.pid) == []


def test_the_time_of_children_that_ended_still_counts() -> None:
    before = read_processor_seconds(os.getpid())
    busy = "import time\nwhile time.process_time() < 0.4: pass"
    subprocess.run([sys.executable, "-c", busy], check=True)
    assert read_processor_seconds(os.getpid()) - before >= 0.3


def test_processes_can_be_read_only_if_the_system_lists_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert process_tree.can_read_processes()
    monkeypatch.setattr(process_tree, "_NEEDED", ("/proc/self/smaps_rollup", "/proc/none"))
    assert not process_tree.can_read_processes()
