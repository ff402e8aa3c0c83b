"""The process that reads a large file of people for an import, which writes the rows before meanwhile.

`reading_process` starts it. It gets the file, how to read it and the key of address hashes, and has no database and no other
secret. It sends lists of rows, then None; or the message of the `BadFile` that ended it. It ends when nobody takes its rows.
"""

import os
import resource
import signal
import sys
from itertools import islice
from typing import BinaryIO, cast

from newsletter.common.child_processes.messages import read_message, write_message
from subscribers.importing.reading.errors import BadFile
from subscribers.importing.reading.reading_request import ALLOWED, ROWS_PER_MESSAGE, ReadingRequest, SharedFile

# The signals of a terminal or of a service that is stopped reach both processes: the import decides when it stops.
_IGNORED_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> None:
    """Answer the one request on standard input."""
    for ignored in _IGNORED_SIGNALS:
        signal.signal(ignored, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    # A file of the process's memory would hold people and the key.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = os.fdopen(os.dup(1), "wb")
    # Output of a library must not be taken for rows.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    shared, request = cast(tuple[SharedFile, ReadingRequest], read_message(sys.stdin.buffer, allowed=ALLOWED))
    with answers, os.fdopen(shared.descriptor, "rb") as file:
        file.seek(shared.start)
        _send_rows(answers, request, file)


def _send_rows(answers: BinaryIO, request: ReadingRequest, file: BinaryIO) -> None:
    try:
        rows = request.read(file)
        while several := list(islice(rows, ROWS_PER_MESSAGE)):
            write_message(answers, several)
    except BadFile as error:
        write_message(answers, error.message)
    else:
        write_message(answers, None)


if __name__ == "__main__":
    main()
