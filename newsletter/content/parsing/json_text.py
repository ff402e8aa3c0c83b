"""Read JSON of others: strictly and fast if it is sound, else so that one damaged entry does not cost the others."""

import json
import re
from typing import Any

import orjson

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class BadJson(ValueError):
    """A document is no JSON at all."""


def read_json(body: bytes) -> Any:
    """Return the data of a document. Damaged characters stay in it as lone surrogates. Raises BadJson."""
    plain = body.removeprefix(b"\xef\xbb\xbf")
    try:
        return orjson.loads(plain)
    except orjson.JSONDecodeError:
        try:
            text = plain.decode(json.detect_encoding(plain), "surrogateescape")
            return json.loads(text, strict=False, parse_constant=lambda _name: None, parse_int=_read_number)
        except (ValueError, RecursionError) as error:
            raise BadJson from error


def has_broken_characters(value: Any) -> bool:
    """Return True if plain data holds a lone surrogate, a NUL, or is nested beyond reason."""
    try:
        return bool(_NUL.search(orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS)))
    except (TypeError, ValueError, RecursionError):
        return True


def _read_number(text: str) -> int | None:
    return int(text) if len(text) <= 15 else None
