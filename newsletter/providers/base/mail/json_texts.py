"""Write mails as JSON with the fixed parts of their texts as bytes that are made once, not once for each recipient."""

import sys
import threading
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import orjson

from newsletter.common.personal_tokens import TOKEN

MAX_CACHED_BYTES = 4 * 1024 * 1024
"""A worker keeps as much of the mails that it sent last."""
_MARK = b"\0"
_MARKED = orjson.Fragment(_MARK)
"""Where a text is put in afterwards. A null byte is nowhere else in JSON: in a string it is written as ``\\u0000``."""


class CompiledJsonText:
    """A text that is written as JSON and cut at its tokens once."""

    def __init__(self, text: str) -> None:
        pieces = TOKEN.split(text)
        self._names = pieces[1::2]
        self._fixed = [_escape(piece) for piece in pieces[0::2]]
        self._fixed[0] = b'"' + self._fixed[0]
        self._fixed[-1] += b'"'

    @property
    def size(self) -> int:
        return sum(sys.getsizeof(piece) for piece in self._fixed)

    def list_pieces(self, values: Mapping[str, str]) -> list[bytes]:
        """Return the JSON string in pieces, with values that ``clean_value`` has made safe. Raise KeyError if one is missing."""
        pieces = [self._fixed[0]]
        for name, fixed in zip(self._names, self._fixed[1:], strict=True):
            pieces += (_escape(values[name]), fixed)
        return pieces


class JsonText(NamedTuple):
    """One recipient's text in a payload for ``write_json``."""

    compiled: CompiledJsonText
    values: Mapping[str, str]


class JsonTextCache:
    """The texts that were used last, compiled, up to a number of bytes. Threads may share it."""

    def __init__(self, *, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._texts: dict[str, CompiledJsonText] = {}
        self.size = 0

    def compile(self, text: str) -> CompiledJsonText:
        with self._lock:
            compiled = self._texts.pop(text, None)
            if compiled is None:
                compiled = CompiledJsonText(text)
                self.size += _count_bytes(text, compiled)
            self._texts[text] = compiled
            while self.size > self._max_bytes:
                oldest = next(iter(self._texts))
                self.size -= _count_bytes(oldest, self._texts.pop(oldest))
        return compiled


_CACHE = JsonTextCache(max_bytes=MAX_CACHED_BYTES)


def compile_json_text(text: str) -> CompiledJsonText:
    """Return the text, compiled. The batches of one variant share it."""
    return _CACHE.compile(text)


def write_json(payload: object) -> bytes:
    """Return the payload as JSON, with the string of each ``JsonText`` in its place."""
    texts: list[Iterable[bytes]] = []

    def leave_out(value: object) -> orjson.Fragment:
        if not isinstance(value, JsonText):
            raise TypeError
        texts.append(value.compiled.list_pieces(value.values))
        return _MARKED

    first, *parts = orjson.dumps(payload, default=leave_out).split(_MARK)
    pieces = [first]
    for text, following in zip(texts, parts, strict=True):
        pieces += text
        pieces.append(following)
    return b"".join(pieces)


def _count_bytes(text: str, compiled: CompiledJsonText) -> int:
    return sys.getsizeof(text) + compiled.size


def _escape(text: str) -> bytes:
    return orjson.dumps(text)[1:-1]
