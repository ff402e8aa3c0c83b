"""Read a file of people: a small one here, a large one in a process of its own, so that two processors work on an import."""

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from subprocess import Popen
from typing import BinaryIO, cast

from newsletter.common.child_processes.messages import ChildProtocolError, read_message, write_message
from newsletter.common.child_processes.start import start_child
from newsletter.common.errors import DomainError
from newsletter.common.messages import Message
from subscribers.importing.reading.errors import BadFile
from subscribers.importing.reading.parsed_rows import Row
from subscribers.importing.reading.reading_request import ALLOWED, MAX_MESSAGE_BYTES, ReadingRequest, SharedFile

MIN_BYTES = 2 << 20
"""A smaller file is read here: the start of a process takes as long as some 5,000 lines."""


class ReadingStopped(DomainError):
    """The process that reads the file has ended before the file."""


@contextmanager
def open_rows(file: BinaryIO, request: ReadingRequest) -> Iterator[Iterator[Row]]:
    """Yield the rows of a file from its position. Nobody else may use the file meanwhile.

    Taking a row raises `BadFile`, or `ReadingStopped` if the process that reads the file was killed.
    """
    descriptor = _find_descriptor(file) if _count_bytes(file) >= MIN_BYTES else None
    if descriptor is None:
        yield request.read(file)
        return
    shared = SharedFile(descriptor, file.tell())
    with start_child("subscribers.importing.reading.reading_child", descriptors=[descriptor]) as process:
        try:
            _send(process, (shared, request))
            yield _receive(process)
        finally:
            process.kill()


def _count_bytes(file: BinaryIO) -> int:
    start = file.tell()
    size = file.seek(0, io.SEEK_END) - start
    file.seek(start)
    return size


def _find_descriptor(file: BinaryIO) -> int | None:
    """Return the descriptor of a file with all its bytes, or None if it is in memory only."""
    try:
        descriptor = file.fileno()
    except io.UnsupportedOperation:
        return None
    file.flush()  # a temporary file has left memory just now
    return descriptor


def _send(process: "Popen[bytes]", message: object) -> None:
    requests = cast(BinaryIO, process.stdin)
    # If it has ended already, so have its answers.
    with suppress(BrokenPipeError):
        try:
            write_message(requests, message)
        finally:
            requests.close()


def _receive(process: "Popen[bytes]") -> Iterator[Row]:
    answers = cast(BinaryIO, process.stdout)
    while True:
        try:
            message = read_message(answers, allowed=ALLOWED, max_bytes=MAX_MESSAGE_BYTES)
        except (EOFError, ChildProtocolError) as error:
            process.kill()
            raise ReadingStopped(
                "The process that reads the file has ended (status %(status)s), so the import stopped. People who were imported "
                "stay. Start it again: nobody is added twice. If it stops again, give the machine more memory.",
                status=process.wait(),
            ) from error
        if message is None:
            return
        if isinstance(message, Message):
            raise BadFile(message)
        yield from cast(list[Row], message)
