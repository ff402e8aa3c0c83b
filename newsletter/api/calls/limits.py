"""Limits per key, and the record of its calls. A busy key counts and records its calls in portions, not one by one."""

import threading
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from newsletter.models import ApiCall, ApiKey
from subscribers.consent.throttle import MINUTE, increment_counter

_PORTIONS_PER_MINUTE = 600


@dataclass(frozen=True)
class Allowance:
    """The calls that a key has left in this minute. `remaining` is negative if this call is one too many."""

    limit: int
    remaining: int
    resets_in: int

    @property
    def is_exceeded(self) -> bool:
        return self.remaining < 0

    def headers(self) -> dict[str, str]:
        """Return the fields of draft-ietf-httpapi-ratelimit-headers."""
        return {
            "RateLimit-Policy": f'"minute";q={self.limit};w=60',
            "RateLimit": f'"minute";r={max(0, self.remaining)};t={self.resets_in}',
        }


class _Portions:
    """The calls that this process has taken from the limits and not used yet, and its calls that are not written yet."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.left: dict[tuple[int, str, int], tuple[int, int]] = {}
        self.calls: defaultdict[str, list[ApiCall]] = defaultdict(list)


_portions = _Portions()


def take_call(key: ApiKey, *, now: datetime) -> Allowance:
    """Count one call of this key. All processes share the limit; none exceeds it."""
    minute = int(now.timestamp()) // 60
    name, limit = (key.pk, key.digest, minute), key.calls_per_minute
    with _portions.lock:
        left, total = _portions.left.get(name, (0, 0))
        if left == 0:
            portion = max(1, limit // _PORTIONS_PER_MINUTE)
            total = increment_counter(f"api key {key.pk}", now=now, window=MINUTE, by=portion)
            for other in [one for one in _portions.left if one[2] != minute]:
                del _portions.left[other]
            left = portion
        left -= 1
        _portions.left[name] = (left, total)
    return Allowance(limit=limit, remaining=limit - (total - left), resets_in=60 - now.second)


def record_call(key: ApiKey, *, method: str, path: str, status: int, milliseconds: int, now: datetime) -> None:
    """Record a call for the desk. The calls of a busy key are written together, a portion at a time."""
    call = ApiCall(key=key, at=now, method=method[:8], path=path[:200], status=status, milliseconds=milliseconds)
    with _portions.lock:
        waiting = _portions.calls[key.digest]
        waiting.append(call)
        if len(waiting) < max(1, key.calls_per_minute // _PORTIONS_PER_MINUTE):
            return
        del _portions.calls[key.digest]
    ApiCall.objects.bulk_create(waiting)
