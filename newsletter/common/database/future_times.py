"""Times that a clock that was ahead has stored. To wait until they have come would take as long as it was ahead."""

from datetime import datetime, timedelta

from django.db.models import Q

CLOCK_MARGIN = timedelta(days=1)
"""A smaller difference may be that of two machines that both work now: what one has claimed, the other must not take."""


def make_ahead_filter(field: str, *, now: datetime, wait: timedelta = timedelta(0)) -> Q:
    """Return the condition of rows whose time is too far ahead. ``wait`` is the longest wait that the product sets."""
    return Q(**{f"{field}__gt": now + wait + CLOCK_MARGIN})


def is_ahead(moment: datetime, *, now: datetime) -> bool:
    """Return True if a time that should have passed is too far ahead."""
    return moment > now + CLOCK_MARGIN
