"""What a job found in open issues, kept for five minutes while their rows stay the same. Resolving an issue takes 50 queries."""

import hashlib
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from django.db.models import Model

from newsletter.models import Issue

T = TypeVar("T")
MAX_AGE_SECONDS = 300.0
"""A change of a story, an event or an appeal is not seen in the issue's row, so no result is used for longer."""
_MAX_RESULTS = 100


class RecentResults(Generic[T]):
    """The results of one job in this process, by the stamp that `make_stamp` returns for an issue before it is resolved."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._found: dict[str, tuple[float, T]] = {}

    def find(self, stamp: str) -> T | None:
        """Return the result, or None if there is none that holds."""
        if stamp not in self._found:
            return None
        kept_at, result = self._found[stamp]
        return result if self._clock() - kept_at < MAX_AGE_SECONDS else None

    def keep(self, stamp: str, result: T) -> None:
        if len(self._found) >= _MAX_RESULTS:
            self._found.clear()
        self._found[stamp] = self._clock(), result


def make_stamp(issue: Issue) -> str:
    """Return a hash that changes with each change of the rows of an issue, its publication and its brand."""
    rows = (issue, issue.publication, issue.publication.brand)
    return hashlib.sha256("\0".join(_describe(row) for row in rows).encode()).hexdigest()


def _describe(row: Model) -> str:
    return "\0".join(repr(field.get_prep_value(field.value_from_object(row))) for field in row._meta.concrete_fields)
