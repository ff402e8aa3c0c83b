"""Read JSON from outside: strictly if it is valid, else so that one damaged entry does not affect the others."""

import html
import json
import re
from collections.abc import Mapping
from typing import Any

import orjson
import pyjson5

from newsletter.common.messages import Message

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_MAX_DEPTH = 50
_OPENING = re.compile(r"^\s*(?:<!--|//\s*<!\[CDATA\[|/\*\s*<!\[CDATA\[\s*\*/|<!\[CDATA\[)\s*")
_CLOSING = re.compile(r"\s*(?:-->|//\s*\]\]>|/\*\s*\]\]>\s*\*/|\]\]>|;)\s*$")
_STRING_OR_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'", re.DOTALL)
_LONE_SURROGATE = re.compile(
    r"(?<!\\)((?:\\\\)*)(?:\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2})"
)
_CONTROL = re.compile(r"[\x00-\x1f]")
CONTROLS = Message("line breaks inside of texts")
ENTITIES = Message("HTML entities")
LOOSE = Message("commas, comments or quotation marks")


class BadJson(ValueError):
    """The document is not JSON."""


def read_json(body: bytes) -> object:
    """Return the data of a document. Damaged characters become lone surrogates. Raises BadJson."""
    plain = body.removeprefix(b"\xef\xbb\xbf")
    try:
        return orjson.loads(plain)
    except orjson.JSONDecodeError:
        try:
            text = plain.decode(json.detect_encoding(plain), "surrogateescape")
            return json.loads(text, strict=False, parse_constant=lambda _name: None, parse_int=_read_number)
        except (ValueError, RecursionError) as error:
            raise BadJson from error


def as_mapping(raw: object) -> Mapping[str, Any]:
    """Return the value if it is an object, else {}."""
    return raw if isinstance(raw, dict) else {}


def read_text(raw: Mapping[str, object], name: str) -> str:
    """Return the text or number of a field as text, or ""."""
    value = raw.get(name)
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def has_broken_characters(value: object) -> bool:
    """Return True if plain data contains a lone surrogate or a NUL, or is nested too deep."""
    try:
        return bool(_NUL.search(orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS)))
    except (TypeError, ValueError, RecursionError):
        return True


def read_repaired_json(text: str) -> tuple[Any, str]:
    """Return the data, and what had to be repaired or "". Raises ValueError if it cannot be read at all.

    Lone surrogates stay in the data: only the entry that holds them is refused.
    """
    bare = _unwrap(text)
    for prepared, repaired in ((bare, ""), (html.unescape(bare), ENTITIES)):
        if repaired and prepared == bare:
            break
        try:
            return _read(prepared, repaired)
        except ValueError:
            continue
    raise ValueError("no JSON")


def _read(text: str, repaired: str) -> tuple[Any, str]:
    try:
        return orjson.loads(text), repaired
    except orjson.JSONDecodeError:
        pass
    try:
        loose = json.loads(text, strict=False, parse_constant=lambda _name: None, parse_int=_read_number)
    except (ValueError, RecursionError):
        pass
    else:
        # Lone surrogates are read here too; only their entry is refused later.
        return loose, _join(repaired, CONTROLS if _CONTROL.search(_without_layout(text)) else "")
    try:
        data = pyjson5.decode(_STRING_OR_COMMENT.sub(_escape, _CONTROL.sub(_layout, text)), maxdepth=_MAX_DEPTH)
    except (pyjson5.Json5Exception, ValueError, RecursionError) as error:
        raise ValueError("no JSON") from error
    return data, _join(repaired, LOOSE)


def _unwrap(text: str) -> str:
    """Remove the comments and marks around JSON that hide it from old browsers."""
    bare, before = text.strip().lstrip("\ufeff"), None
    while bare != before:
        before = bare
        bare = _CLOSING.sub("", _OPENING.sub("", bare)).strip()
    return bare


def _without_layout(text: str) -> str:
    return re.sub(r"[\r\n\t]+(?=\s*[\[{\"}\],:])|(?<=[\[{,:])[\r\n\t]+", "", text)


def _layout(match: re.Match[str]) -> str:
    # Line breaks stay, because they end comments. Other control characters mean nothing.
    return match[0] if match[0] in "\r\n\t" else " "


def _escape(match: re.Match[str]) -> str:
    """Return a string on one line, and a comment unchanged."""
    part = match[0]
    if part.startswith("/"):
        return part
    one_line = part.replace("\r\n", "\n").replace("\n", "\\n").replace("\r", "\\n").replace("\t", "\\t")
    return _LONE_SURROGATE.sub(r"\1\\ufffd", one_line)


def _read_number(text: str) -> int | None:
    return int(text) if len(text) <= 15 else None


def _join(*parts: str) -> str:
    return ", ".join(part for part in parts if part)
