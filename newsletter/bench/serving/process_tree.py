"""The memory and the processor time of a process and all that it started, from /proc of Linux."""

import os
import re
from collections.abc import Callable
from pathlib import Path

_NEEDED = ("/proc/self/smaps_rollup", "/proc/thread-self/children")
_PSS = re.compile(r"^Pss: +(\d+) kB", re.M)
_TICKS = slice(11, 15)
"""In the program and in the system, of the process and of its children that have ended."""


def can_read_processes() -> bool:
    """Return True if the system has what the functions here read: Linux with its usual options."""
    return all(Path(file).exists() for file in _NEEDED)


def read_memory_mb(first: int) -> list[float]:
    """Return the proportional set size of each process, in MB (10⁶ bytes), the largest first.

    Proportional means that memory which several processes share is counted once. Processes that end meanwhile are left out.
    """
    return sorted(_read_each(first, _read_one_memory), reverse=True)


def read_processor_seconds(first: int) -> float:
    """Return the processor seconds that the processes have used. Processes that end meanwhile are left out."""
    return sum(_read_each(first, _read_one_seconds))


def list_processes(first: int) -> list[int]:
    """Return the process and all that it started.

    The kernel lists a child with the thread that started it, so all threads are read.
    """
    found = [first]
    for child in _list_children(first):
        found += list_processes(child)
    return found


def _list_children(process: int) -> list[int]:
    children: list[int] = []
    try:
        for thread in Path(f"/proc/{process}/task").iterdir():
            children += _read_thread(thread)
    except (FileNotFoundError, ProcessLookupError):
        return children
    return children


def _read_thread(thread: Path) -> list[int]:
    try:
        return [int(child) for child in (thread / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def _read_each(first: int, read: Callable[[int], float]) -> list[float]:
    figures = []
    for process in list_processes(first):
        try:
            figures.append(read(process))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return figures


def _read_one_memory(process: int) -> float:
    found = _PSS.search(Path(f"/proc/{process}/smaps_rollup").read_text())
    return round(int(found[1]) * 1024 / 1e6, 1) if found else 0.0


def _read_one_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[_TICKS])) / os.sysconf("SC_CLK_TCK")
