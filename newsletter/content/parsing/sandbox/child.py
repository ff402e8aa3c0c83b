"""The child process that reads files from outside, within limits of time and memory, and the messages to and from it.

``process`` starts it for one task (documents, images, mails or reports). It has no secret, writes no file, and exits
when its parent exits or has no work for it. A message is a length, then a pickle that may hold only our own plain data.
"""

import importlib
import io
import os
import pickle
import resource
import select
import signal
import struct
import sys
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any, BinaryIO

from newsletter.common.errors import DomainError

OUT_OF_MEMORY = 3
READY = "ready"
TASKS = {
    "aggregate_reports": ("newsletter.content.parsing.aggregate_reports.parse_report", "parse_report"),
    "documents": ("newsletter.content.parsing.parse", "parse_document"),
    "images": ("newsletter.content.images.encode", "encode_requested_image"),
    "mails": ("newsletter.content.parsing.mails.parse_mail", "parse_mail"),
}
_STATM = Path("/proc/self/statm")
MAX_MESSAGE_BYTES = 64 * 1024 * 1024
_LENGTH = struct.Struct(">Q")
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


class SandboxProtocolError(DomainError):
    """The other side sent something unexpected, or stopped in the middle of a message."""


class _PlainData(pickle.Unpickler):
    """Load only the classes named above, so that a compromised child cannot make its parent run code."""

    def find_class(self, module_name: str, global_name: str, /) -> object:
        if (module_name, global_name) not in _ALLOWED:
            raise SandboxProtocolError(f"{module_name}.{global_name} may not come from a parser.")
        return super().find_class(module_name, global_name)


class _PlainPickler(pickle.Pickler):
    """Write a member of an enum as its class and value. Python 3.11.2 writes a call of `getattr`, which `_PlainData` refuses."""

    def reducer_override(self, value: object) -> tuple[Callable[..., object], tuple[object, ...]]:
        return (type(value), (value.value,)) if isinstance(value, Enum) else NotImplemented


def write_message(stream: BinaryIO, value: object) -> None:
    """Send one value. Raises OSError if the other side has closed the pipe."""
    buffer = io.BytesIO()
    _PlainPickler(buffer, protocol=5).dump(value)
    data = buffer.getvalue()
    stream.write(_LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def read_message(stream: BinaryIO) -> object:
    """Return the next value. Raises EOFError if the other side closed the pipe between two, else SandboxProtocolError."""
    head = stream.read(_LENGTH.size)
    if not head:
        raise EOFError
    size = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else MAX_MESSAGE_BYTES + 1
    if size > MAX_MESSAGE_BYTES:
        raise SandboxProtocolError("The answer of a parser has no length, or one that is too large.")
    data = stream.read(size)
    if len(data) != size:
        raise SandboxProtocolError("The answer of a parser broke off.")
    try:
        return _PlainData(io.BytesIO(data)).load()
    except (pickle.UnpicklingError, EOFError, AttributeError, IndexError, ValueError, TypeError, KeyError) as error:
        raise SandboxProtocolError("The answer of a parser cannot be understood.") from error


def main() -> None:
    """Read requests from standard input and answer each on standard output, until there are no more."""
    cpu_seconds, memory_bytes, idle_seconds = int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    # Load the work before memory is limited, and nothing else.
    module, function = TASKS[sys.argv[1]]
    work = getattr(importlib.import_module(module), function)
    if sys.argv[1] == "documents":
        importlib.import_module(module).preload()
    answers = os.fdopen(os.dup(1), "wb")
    # Output of a library must not look like an answer.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _limit_memory(memory_bytes)
    if sys.argv[1] == "documents":
        importlib.import_module("newsletter.content.parsing.cpu_budget").limit_entries()
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
    """Allow this number of bytes of address space in addition to the current use. Set no limit if that is unknown."""
    if _STATM.exists():
        used_bytes = int(_STATM.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used_bytes + more_bytes, used_bytes + more_bytes))


def _limit_processor(seconds: int) -> None:
    """Allow this number of seconds of processor time from now. The system counts from the start of the process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + seconds + 1, hard))


if __name__ == "__main__":
    main()
