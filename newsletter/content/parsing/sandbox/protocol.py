"""How the parsing child and its parent speak: a length, then a pickle that may hold nothing but our own plain data."""

import io
import pickle
import struct
from typing import Any, BinaryIO

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
    """The other side spoke something else than was agreed, or fell silent in the middle of it."""


class _PlainData(pickle.Unpickler):
    """Builds the classes named above and no others, so that a subverted child cannot make its parent run anything."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        if (module_name, global_name) not in _ALLOWED:
            raise SandboxProtocolError(f"{module_name}.{global_name} may not come from a parser.")
        return super().find_class(module_name, global_name)


def write_message(stream: BinaryIO, value: object) -> None:
    """Sends one value; OSError where nobody listens any more."""
    data = pickle.dumps(value, protocol=5)
    stream.write(_LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def read_message(stream: BinaryIO) -> Any:
    """The next value; EOFError where the other side has gone between two values. SandboxProtocolError for anything odd."""
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
