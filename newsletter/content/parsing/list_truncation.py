"""Find the time from which entries may be missing, if a source lists a limited number of events."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

# Calendars and pages are often cut at these numbers of entries.
PAGE_SIZES = frozenset({5, 6, 8, 9, 10, 12, 15, 16, 18, 20, 24, 25, 30, 40, 50, 60, 75, 80, 99, 100, 120, 365})
_LARGE = 100


def is_page_size(count: int) -> bool:
    """Return True if lists are often cut at this number."""
    return count in PAGE_SIZES or (count > _LARGE and count % 50 == 0)


def find_truncated_from(
    days: Sequence[datetime], *, entries: Sequence[datetime], count: int, start: datetime, end: datetime
) -> datetime | None:
    """Return the start from which entries may be missing from a list of ``count``, in [start, end), or None.

    ``days`` are the days of its single events in its own order; ``entries`` are the starts of those that were read.
    """
    ordered = all(earlier <= later for earlier, later in pairwise(days))
    if not ordered and is_page_size(count):
        return start
    if any(day > end for day in days):
        return None
    return max(entries, default=start)
