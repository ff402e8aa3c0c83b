"""Counts what a stranger may try a few times only. It never stands in the way of a valid link."""

from django.core.cache import cache

WINDOW_SECONDS = 60
MOST_BAD_LINKS = 20


def too_many_bad_links(address: str) -> bool:
    """Counts one more bad link from this network address; True when there were more than 20 in a minute."""
    key = f"subscribers.bad_links.{address}"
    cache.add(key, 0, WINDOW_SECONDS)
    try:
        return cache.incr(key) > MOST_BAD_LINKS
    except ValueError:
        return False  # the minute ended between the two lines
