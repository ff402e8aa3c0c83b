"""Identities of imported people that are random but begin with the time, so that an index takes them at its end.

A million random ones are inserted, and deleted by an undo, all over their index: nearly each needs another page of it.
"""

import secrets
import time
from collections.abc import Iterator

_RANDOM_DIGITS = 19
_VARIANT = "89ab"


def make_ordered_uuids(count: int) -> Iterator[str]:
    """Yield so many UUIDs of version 7 (RFC 9562) as hexadecimal digits, with 74 random bits each."""
    start = f"{time.time_ns() // 1_000_000:012x}7"
    digits = secrets.token_hex((_RANDOM_DIGITS * count + 1) // 2)
    for at in range(0, _RANDOM_DIGITS * count, _RANDOM_DIGITS):
        variant = _VARIANT[int(digits[at], 16) & 3]
        yield f"{start}{digits[at + 1 : at + 4]}{variant}{digits[at + 4 : at + _RANDOM_DIGITS]}"
