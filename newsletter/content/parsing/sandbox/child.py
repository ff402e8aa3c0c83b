"""The child process that reads files from outside, within limits of time and memory, and the messages to and from it.

``process`` starts it for one task (documents, images, mails or reports). It holds no secret, writes no file, and exits
when its parent exits or has no work for it. A message may hold only our own plain data.
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

from newsletter.common.child_processes import messages
from newsletter.common.child_processes.messages import write_message

OUT_OF_MEMORY = 3
READY = "ready"
TASKS = {
    "aggregate_reports": ("newsletter.content.parsing.aggregate_reports.parse_report", "parse_report"),
    "documents": ("newsletter.content.parsing.parse", "parse_document"),
    "images": ("newsletter.content.images.encode", "encode_requested_image"),
    "mails": ("newsletter.content.parsing.mails.parse_mail", "parse_mail"),
}
_STATM = Path("/proc/self/statm")
_ALLOWED = {
    ("datetime", "date"),
    ("datetime", "datetime"),
    ("datetime", "timedelta"),
    ("datetime", "timezone"),
    ("newsletter.common.messages", "Message"),
    ("newsletter.common.messages", "Quantity"),
    ("newsletter.content.parsing.aggregate_reports.report", "AggregateReport"),
    ("newsletter.content.parsing.aggregate_reports.report", "AggregateRow"),
    ("newsletter.content.parsing.aggregate_reports.report", "ReportFile"),
    ("newsletter.content.parsing.aggregate_reports.report", "ReportProblem"),
    ("newsletter.content.parsing.entries", "EventEntry"),
    ("newsletter.content.parsing.entries", "Parsed"),
    ("newsletter.content.parsing.entries", "SetAside"),
    ("newsletter.content.parsing.entries", "StoryEntry"),
    ("newsletter.content.parsing.documents", "Document"),
    ("newsletter.content.parsing.mails.parsed_mail", "MailKind"),
    ("newsletter.content.parsing.mails.parsed_mail", "ParsedMail"),
    ("newsletter.content.parsing.mails.parsed_mail", "RawMail"),
    ("newsletter.content.parsing.mails.parsed_mail", "RecipientReport"),
    ("newsletter.content.images.sandbox_messages", "EncodedImage"),
    ("newsletter.content.images.sandbox_messages", "ImageRequest"),
    ("newsletter.content.images.sandbox_messages", "RenditionFormat"),
    ("newsletter.content.images.sandbox_messages", "ImageRefusal"),
}


def read_message(stream: BinaryIO) -> object:
    """Return the next value, as `messages.read_message` does."""
    return messages.read_message(stream, allowed=_ALLOWED)


def main() -> None:
    """Read requests from standard input and answer each on standard output, until there are no more."""
    cpu_seconds, memory_bytes, idle_seconds = int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    # Load the work before memory is limited, and nothing else.
    module, function = TASKS[sys.argv[1]]
    work = getattr(importlib.import_module(module), function)
    if sys.argv[1] == "documents":
        importlib.import_module(module).preload()
    answers = os.fdopen(os.dup(1), "wb")
    # Output of a library must not be taken for an answer.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _limit_memory(memory_bytes)
    if sys.argv[1] == "documents":
        importlib.import_module("newsletter.content.parsing.entry_rules").limit_entries()
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
