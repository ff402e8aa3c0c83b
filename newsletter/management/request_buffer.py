"""Collect the bytes of one HTTP request until it can be answered without waiting for its client again.

It finds the end of the headers and the length of the body. The web server parses what was collected.
"""

import re
from collections.abc import Callable
from enum import Enum
from tempfile import SpooledTemporaryFile

IN_MEMORY_BYTES = 256 * 1024
MAX_HEADER_BYTES = 64 * 1024
_LENGTH = re.compile(rb"^content-length[ \t]*:[ \t]*(\d{1,15})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_EXPECTS = re.compile(rb"^expect[ \t]*:[ \t]*100-continue[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_TARGET = re.compile(rb"\A(?:\r\n)*[^ \r\n]+ ([^ \r\n]*)")

BodyLimit = Callable[[str], int]


class Stage(Enum):
    """The part that the client still has to send."""

    HEADERS = "headers"
    BODY = "body"
    COMPLETE = "complete"


class RequestBuffer:
    """One arriving request. `recv` returns the bytes, so that a parser can read it like a socket.

    A body above ``body_limit`` for its path is not collected: the application refuses it by its length. Chunked bodies are
    not collected either, because no page reads one.
    """

    def __init__(self, *, body_limit: BodyLimit) -> None:
        self._body_limit = body_limit
        self._bytes = SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115  closed by `close`
        self._head = b""
        self._missing = 0
        self.body_length = 0
        self.stage = Stage.HEADERS
        self.started = False
        self.surplus = b""
        self.first_line = b""
        self.expects_continue = False
        self.body_left_out = False

    def feed(self, data: bytes) -> None:
        """Add bytes. Bytes after the end of the request are kept in ``surplus``."""
        self.started = self.started or bool(data)
        if self.stage is Stage.HEADERS:
            data = self._feed_headers(data)
        if self.stage is Stage.BODY:
            self._bytes.write(data[: self._missing])
            self.surplus += data[self._missing :]
            self._missing -= min(len(data), self._missing)
            if not self._missing:
                self._finish()

    def recv(self, size: int) -> bytes:
        """Return up to ``size`` bytes, like a socket, and nothing at the end."""
        return self._bytes.read(size)

    def close(self) -> None:
        """Free the memory or the temporary file."""
        self._bytes.close()

    def _feed_headers(self, data: bytes) -> bytes:
        """Return what is left for the body when the headers are complete."""
        before = max(0, len(self._head) - 3)
        self._head += data
        end = self._head.find(b"\r\n\r\n", before)
        if end < 0:
            if len(self._head) > MAX_HEADER_BYTES:
                self._bytes.write(self._head)
                self.body_left_out = True
                self._finish()
            return b""
        head, body = self._head[: end + 4], self._head[end + 4 :]
        self._bytes.write(head)
        self._head = b""
        self.first_line = head.lstrip(b"\r\n").partition(b"\r\n")[0]
        self.stage = Stage.BODY
        self._missing = self.body_length = self._body_length(head)
        self.expects_continue = bool(self._missing) and bool(_EXPECTS.search(head))
        if self.body_left_out:
            self._finish()
            return b""
        return body

    def _body_length(self, head: bytes) -> int:
        """Return the number of body bytes to wait for. The parser refuses odd lengths."""
        lengths = _LENGTH.findall(head)
        if re.search(rb"^transfer-encoding[ \t]*:", head, re.IGNORECASE | re.MULTILINE):
            self.body_left_out = True
            return 0
        if len(lengths) != 1:
            self.body_left_out = bool(lengths)
            return 0
        length = int(lengths[0])
        target = _TARGET.match(head)
        if length > self._body_limit(target[1].decode("latin-1") if target else ""):
            self.body_left_out = True
            return 0
        return length

    def _finish(self) -> None:
        self.stage = Stage.COMPLETE
        self._bytes.seek(0)
