"""The messages between a sandbox child and its parent: a length, then a pickle that may hold only our own plain data."""

import io
import pickle
import struct
from typing import BinaryIO

from newsletter.common.errors import DomainError

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
_LENGTH = struct.Struct(">Q")
_ALLOWED = {
    ("datetime", "date"),
    ("datetime", "datetime"),
    ("datetime", "timedelta"),
    ("datetime", "timezone"),
    ("newsletter.common.messages", "Message"),
    ("newsletter.common.messages", "Quantity"),
    ("newsletter.content.parsing.entries", "EventEntry"),
    ("newsletter.content.parsing.entries", "Parsed"),
    ("newsletter.content.parsing.entries", "SetAside"),
    ("newsletter.content.parsing.entries", "StoryEntry"),
    ("newsletter.content.parsing.parse", "Document"),
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


def write_message(stream: BinaryIO, value: object) -> None:
    """Send one value. Raises OSError if the other side has closed the pipe."""
    data = pickle.dumps(value, protocol=5)
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
