"""Files that a command writes for the person who runs it. They hold personal data, so only that user can read them."""

import os
import stat
from pathlib import Path
from typing import TextIO

PRIVATE = 0o600


def open_private(path: Path, *, encoding: str = "utf-8") -> TextIO:
    """Open a text file that only its owner can read, also if it existed. Raises OSError.

    A device such as /dev/null keeps its mode.
    """
    return open(path, "w", encoding=encoding, newline="", opener=_open)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read. Raises OSError."""
    with open(path, "wb", opener=_open) as file:
        file.write(content)


def replace_private(path: Path, text: str) -> None:
    """Write or replace a text file that only its owner can read, whole or not at all. Raises OSError."""
    part = path.with_name(f"{path.name}.part")
    with open_private(part) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _open(path: str, flags: int) -> int:
    descriptor = os.open(path, flags & ~os.O_TRUNC, PRIVATE)
    try:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.fchmod(descriptor, PRIVATE)
            os.ftruncate(descriptor, 0)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
