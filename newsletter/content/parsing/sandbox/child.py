"""The child process that reads files from outside, within limits of time and memory.

``process`` starts it for one kind of work (documents or images). It holds no secret, writes no file, and exits
when its parent exits or has no work for it.
"""

import importlib
import os
import resource
import select
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from newsletter.content.parsing.sandbox.protocol import read_message, write_message

OUT_OF_MEMORY = 3
READY = "ready"
WORK = {
    "documents": ("newsletter.content.parsing.parse", "parse_document"),
    "images": ("newsletter.content.images.encode", "encode_requested_image"),
}
_STATM = Path("/proc/self/statm")


def main() -> None:
    """Read requests from standard input and answer each on standard output, until there are no more."""
    cpu_seconds, memory_bytes, idle_seconds = int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    # Load the work before memory is limited, and nothing else.
    module, function = WORK[sys.argv[1]]
    work = getattr(importlib.import_module(module), function)
    answers = os.fdopen(os.dup(1), "wb")
    # Output of a library must not be taken for an answer.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _limit_memory(memory_bytes)
    if sys.argv[1] == "documents":
        importlib.import_module("newsletter.content.parsing.parser_errors").limit_entries()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    with answers:
        write_message(answers, READY)
        try:
            _serve(sys.stdin.buffer, answers, work, cpu_seconds=cpu_seconds, idle_seconds=idle_seconds)
        except MemoryError:
            # Without memory, not even an answer is certain.
            os._exit(OUT_OF_MEMORY)


def _serve(
    requests: BinaryIO, answers: BinaryIO, work: Callable[[Any], object], *, cpu_seconds: int, idle_seconds: float
) -> None:
    while select.select([requests], [], [], idle_seconds)[0]:
        try:
            request = read_message(requests)
        except EOFError:
            return
        _limit_processor(cpu_seconds)
        write_message(answers, work(request))


def _limit_memory(more_bytes: int) -> None:
    """Allow so many bytes of address space beyond what the process uses now. Set no limit if that is unknown."""
    if _STATM.exists():
        taken = int(_STATM.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + more_bytes, taken + more_bytes))


def _limit_processor(seconds: int) -> None:
    """Allow so many seconds of processor time from now. The system counts from the start of the process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + seconds + 1, hard))


if __name__ == "__main__":
    main()
