"""Read a posted webhook of an unknown sender: bounded JSON, and keys by which a repeated event is recognised."""

import hashlib
import re
from collections.abc import Iterator

import orjson

from newsletter.providers.base.errors import BadWebhook
from newsletter.providers.base.json_values import Row

MAX_JSON_DEPTH = 20
MAX_KEY_LENGTH = 120
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def parse_json(body: bytes) -> object:
    """Return the JSON of a body. Raise BadWebhook if it is not JSON, or nested deeper than 20."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadWebhook(
            "The webhook is not JSON, so it cannot be read and was ignored. Check that only the provider posts to this address, "
            "and that no proxy changes what it posts."
        ) from error
    if _is_too_deep(parsed):
        raise BadWebhook(
            "The webhook is nested more than %(depth)s levels deep, which no provider's is, so it was ignored. Check that only "
            "the provider posts to this address.",
            depth=MAX_JSON_DEPTH,
        )
    return parsed


def parse_json_object(body: bytes, *, provider: str) -> Row:
    """Return the JSON object of a body. Raise BadWebhook."""
    parsed = parse_json(body)
    if not isinstance(parsed, dict):
        raise wrong_form(provider)
    return parsed


def parse_json_objects(body: bytes, *, provider: str) -> Iterator[Row]:
    """Return each event of a body that is one object or a list of them. Raise BadWebhook before the first."""
    parsed = parse_json(body)
    rows = parsed if isinstance(parsed, list) else [parsed]
    if not all(isinstance(row, dict) for row in rows):
        raise wrong_form(provider)
    return iter(rows)


def make_key(*parts: object) -> str:
    """Return a key of at most 120 characters that is the same for the same parts: the parts, or their digest."""
    plain = ":".join(str(part) for part in parts)
    if len(plain) <= MAX_KEY_LENGTH and plain.isascii() and not _CONTROL.search(plain):
        return plain
    return hashlib.sha256("\x1f".join(str(part) for part in parts).encode("utf-8", "replace")).hexdigest()


def fingerprint(event: Row) -> str:
    """Return a key for an event without an id: the digest of all it says."""
    return hashlib.sha256(orjson.dumps(event, option=orjson.OPT_SORT_KEYS)).hexdigest()


def wrong_form(provider: str) -> BadWebhook:
    """Return the error for JSON that does not have the provider's form."""
    return BadWebhook(
        "The webhook does not have %(provider)s's form, so it was ignored. At %(provider)s, let only the webhook that is meant "
        "for this address post to it.",
        provider=provider,
    )


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
