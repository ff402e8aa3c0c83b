"""The largest memory of processes that a block starts, by the marks that Linux keeps of each while it runs."""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from os import getpid
from pathlib import Path
from threading import Event, Thread

from newsletter.bench.serving.process_tree import list_processes

_MARK = re.compile(r"^VmHWM:\s+(\d+) kB", re.M)
_SECONDS = 0.05


class ChildPeaks:
    """The most memory that each child had, by its number, in kB."""

    def __init__(self) -> None:
        self.kilobytes: dict[int, int] = {}

    @property
    def mb(self) -> float:
        """The sum of all children, in MB (10⁶ bytes), as if they had run at once."""
        return round(sum(self.kilobytes.values()) * 1024 / 1e6, 1)


@contextmanager
def watch_children() -> Iterator[ChildPeaks]:
    """Look at the processes that this one starts within the block. A mark only grows, so a look now and then is enough."""
    peaks, ended = ChildPeaks(), Event()
    others = frozenset(list_processes(getpid()))
    watcher = Thread(target=_watch, args=(peaks, others, ended), daemon=True)
    watcher.start()
    try:
        yield peaks
    finally:
        ended.set()
        watcher.join()


def _watch(peaks: ChildPeaks, others: Collection[int], ended: Event) -> None:
    while not ended.wait(_SECONDS):
        for process in set(list_processes(getpid())).difference(others):
            # The last mark counts: before it runs its program, a child has that of its parent.
            if mark := _read_mark(process):
                peaks.kilobytes[process] = mark


def _read_mark(process: int) -> int:
    """Return the mark in kB, or 0 if the process has ended."""
    try:
        found = _MARK.search(Path(f"/proc/{process}/status").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(found[1]) if found else 0
