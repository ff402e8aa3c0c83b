"""Rate limits for sign-ups and bad links. The counts are in the database, shared by all processes.

The rows hold keyed hashes, never an address. A valid link is never limited.
"""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from django.db import DatabaseError, transaction
from django.db.models import F

from newsletter.common.networks import single_client_network
from subscribers.identity import address_key
from subscribers.models import RateCounter

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
MAX_BAD_LINKS_PER_MINUTE = 20
_MAX_BAD_NETWORKS = 10_000
_bad_networks: dict[str, datetime] = {}


@transaction.atomic
def increment_counter(subject: str, *, now: datetime, window: timedelta = HOUR, by: int = 1) -> int:
    """Count `by` more of `subject` in the window that holds `now`. Return the new total of all processes."""
    subject_hash, starts_at = _counter_key(subject, now=now, window=window)
    counter, _ = RateCounter.objects.get_or_create(subject=subject_hash, starts_at=starts_at)
    RateCounter.objects.filter(pk=counter.pk).update(count=F("count") + by)
    counter.refresh_from_db(fields=["count"])
    return counter.count


def read_counter(subject: str, *, now: datetime, window: timedelta = HOUR) -> int:
    """Return the total of the window that holds `now`, without counting."""
    subject_hash, starts_at = _counter_key(subject, now=now, window=window)
    counts = RateCounter.objects.filter(subject=subject_hash, starts_at=starts_at).values_list("count", flat=True)
    return counts.first() or 0


def exceeds_bad_link_limit(address: str, *, now: datetime) -> bool:
    """Count one more bad link from this network. Return True if there were more than 20 in this minute.

    A process remembers the networks above the limit, so a flood of bad links does not reach the database.
    """
    network, minute = single_client_network(address), now.replace(second=0, microsecond=0)
    if _bad_networks.get(network) == minute:
        return True
    try:
        exceeded = increment_counter(f"bad link {network}", now=now, window=MINUTE) > MAX_BAD_LINKS_PER_MINUTE
    except DatabaseError:
        return False  # a bad link gets the same answer with or without a database
    if exceeded:
        if len(_bad_networks) >= _MAX_BAD_NETWORKS:
            _bad_networks.clear()
        _bad_networks[network] = minute
    return exceeded


def _counter_key(subject: str, *, now: datetime, window: timedelta) -> tuple[bytes, datetime]:
    seconds = int(window.total_seconds())
    return _hash(f"{subject}|{seconds}"), datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)


def _hash(text: str) -> bytes:
    return hmac.digest(address_key(), f"subscribers.throttle|{text}".encode(), hashlib.sha256)
