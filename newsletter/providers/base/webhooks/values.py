"""Takes values out of what a stranger posted: bounded JSON, one-line texts, moments, our own ids. Trusts no type."""

import hashlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from newsletter.providers.base.errors import BadWebhook

MAX_JSON_DEPTH = 20
MAX_KEY_LENGTH = 120
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MAX_TIMESTAMP = 32_503_680_000


def read_json(body: bytes) -> Any:
    """Give the JSON of a body. Raises BadWebhook where it is none, or nested deeper than 20."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadWebhook("The webhook cannot be read: it is not JSON.") from error
    if _is_too_deep(parsed):
        raise BadWebhook(f"The webhook is nested more than {MAX_JSON_DEPTH} deep, which no provider does.")
    return parsed


def read_json_object(body: bytes, *, provider: str) -> Mapping[str, Any]:
    """Give the JSON object of a body. Raises BadWebhook."""
    parsed = read_json(body)
    if not isinstance(parsed, dict):
        raise BadWebhook(f"The webhook does not have {provider}'s form.")
    return parsed


def read_json_objects(body: bytes, *, provider: str) -> Iterator[Mapping[str, Any]]:
    """Give each event of a body that is one object or a list of them. Raises BadWebhook, before the first."""
    parsed = read_json(body)
    rows = parsed if isinstance(parsed, list) else [parsed]
    if not all(isinstance(row, dict) for row in rows):
        raise BadWebhook(f"The webhook does not have {provider}'s form.")
    return iter(rows)


def text(value: object, *, max_length: int = 500) -> str:
    """Give a text or a whole number as one printable line, else nothing."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return ""
    value = value[:max_length]
    return value.strip() if value.isprintable() else "".join(c if c.isprintable() else " " for c in value).strip()


def address(value: object) -> str:
    """Give the address of ``Name <address>`` or of a bare one."""
    said = text(value, max_length=400)
    named = re.search(r"<([^<>]*)>\s*$", said)
    return (named.group(1) if named else said).strip()[:254]


def table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def rows(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def delivery_id(value: object) -> int | None:
    """Give our delivery id, which providers give back as text, where it is one."""
    said = text(value, max_length=40)
    return int(said) if re.fullmatch(r"[0-9]{1,18}", said) else None


def parse_time(value: object) -> datetime | None:
    """Give a time from Unix seconds (a number, or digits in a text) or from ISO 8601; nothing where it is neither."""
    if isinstance(value, str):
        if not re.fullmatch(r"\d{9,12}(\.\d+)?", value):
            return _parse_iso(value)
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return datetime.fromtimestamp(value, UTC) if 0 <= value < _MAX_TIMESTAMP else None


def make_key(*parts: object) -> str:
    """Give a key of bearable length that is the same for the same parts: the parts themselves, or their digest."""
    plain = ":".join(str(part) for part in parts)
    if len(plain) <= MAX_KEY_LENGTH and plain.isascii() and not _CONTROL.search(plain):
        return plain
    return hashlib.sha256("\x1f".join(str(part) for part in parts).encode("utf-8", "replace")).hexdigest()


def fingerprint(event: Mapping[str, Any]) -> str:
    """Give a key for an event without an id of its own: the same event gives the same one."""
    return hashlib.sha256(orjson.dumps(event, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _parse_iso(said: str) -> datetime | None:
    """Postmark writes seven digits of a second and Python reads six."""
    try:
        found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", said[:40]))
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _is_too_deep(parsed: object) -> bool:
    level: list[object] = [parsed]
    for _ in range(MAX_JSON_DEPTH):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node if isinstance(node, list) else ())
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True
