"""Read untrusted JSON values: every function takes any type and returns a safe default for a wrong one."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from newsletter.common.iso_time import parse_iso_time

_MAX_TIMESTAMP = 32_503_680_000

# The content of a JSON object. Its values are of any type until one of the functions below has read them.
Row = Mapping[str, object]


def parse_json_or_none(body: bytes) -> object:
    """Return the content of a JSON body, or None if it is not JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def as_mapping(value: object) -> Row:
    """Return the value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> Sequence[object]:
    """Return the value if it is a list, else an empty one."""
    return value if isinstance(value, list) else ()


def as_text(value: object, *, max_length: int = 500) -> str:
    """Return a text or a whole number as one printable line, else an empty text."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return ""
    value = value[:max_length]
    return value.strip() if value.isprintable() else "".join(c if c.isprintable() else " " for c in value).strip()


def parse_address(value: object) -> str:
    """Return the address in ``Name <address>``, or a bare address, without checking it."""
    written = as_text(value, max_length=400)
    match = re.search(r"<([^<>]*)>\s*$", written)
    return (match.group(1) if match else written).strip()[:254]


def parse_delivery_id(value: object) -> int | None:
    """Return our delivery id, which providers give back as text, or None."""
    digits = as_text(value, max_length=40)
    return int(digits) if re.fullmatch(r"[0-9]{1,18}", digits) else None


def parse_time(value: object) -> datetime | None:
    """Return an aware time from Unix seconds (a number, or digits in a text) or ISO 8601, or None."""
    if isinstance(value, str):
        if not re.fullmatch(r"\d{9,12}(\.\d+)?", value):
            return parse_iso_time(value[:40])
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return datetime.fromtimestamp(value, UTC) if 0 <= value < _MAX_TIMESTAMP else None
