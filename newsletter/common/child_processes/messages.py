"""Messages between a process and its child: a length, then a pickle that may hold only listed classes of plain data."""

import io
import pickle
import struct
from collections.abc import Collection
from typing import BinaryIO

from newsletter.common.errors import DomainError

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
_LENGTH = struct.Struct(">Q")


class ChildProtocolError(DomainError):
    """The other side sent something unexpected, or stopped in the middle of a message."""


class _PlainData(pickle.Unpickler):
    """Load only listed classes, so that a compromised child cannot make its parent run code."""

    def __init__(self, data: bytes, *, allowed: Collection[tuple[str, str]]) -> None:
        super().__init__(io.BytesIO(data))
        self._allowed = allowed

    def find_class(self, module_name: str, global_name: str, /) -> object:
        if (module_name, global_name) not in self._allowed:
            raise ChildProtocolError(f"{module_name}.{global_name} may not come from another process.")
        return super().find_class(module_name, global_name)


def write_message(stream: BinaryIO, value: object) -> None:
    """Send one value. Raises OSError if the other side has closed the pipe."""
    data = pickle.dumps(value, protocol=5)
    stream.write(_LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def read_message(
    stream: BinaryIO, *, allowed: Collection[tuple[str, str]], max_bytes: int = MAX_MESSAGE_BYTES
) -> object:
    """Return the next value. `allowed` has the modules and names of the classes that may be in it.

    Raises EOFError if the other side closed the pipe between two messages, else ChildProtocolError.
    """
    head = stream.read(_LENGTH.size)
    if not head:
        raise EOFError
    size = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else max_bytes + 1
    if size > max_bytes:
        raise ChildProtocolError("The message of another process has no length, or one that is too large.")
    data = stream.read(size)
    if len(data) != size:
        raise ChildProtocolError("The message of another process broke off.")
    try:
        return _PlainData(data, allowed=allowed).load()
    except (pickle.UnpicklingError, EOFError, AttributeError, IndexError, ValueError, TypeError, KeyError) as error:
        raise ChildProtocolError("The message of another process cannot be understood.") from error
