"""Write mails as JSON with the fixed parts of their texts as bytes that are made once, not once for each recipient."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

import orjson

from newsletter.common.personal_tokens import TOKEN

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


@lru_cache(maxsize=64)
def compile_json_text(text: str) -> CompiledJsonText:
    """Return the text, compiled. The batches of one variant share it."""
    return CompiledJsonText(text)


def write_json(payload: object) -> bytes:
    """Return the payload as JSON, with each ``JsonText`` in it as the string that it stands for."""
    texts: list[Iterable[bytes]] = []

    def leave_out(value: object) -> orjson.Fragment:
        if not isinstance(value, JsonText):
            raise TypeError
        texts.append(value.compiled.list_pieces(value.values))
        return _MARKED

    first, *others = orjson.dumps(payload, default=leave_out).split(_MARK)
    pieces = [first]
    for text, following in zip(texts, others, strict=True):
        pieces += text
        pieces.append(following)
    return b"".join(pieces)


def _escape(text: str) -> bytes:
    return orjson.dumps(text)[1:-1]
