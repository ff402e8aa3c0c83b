"""Counts what a stranger may try a few times only, in the database, so that all processes share the count.

It keeps keyed hashes, never an address, and never stands in the way of a valid link.
"""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from django.db import DatabaseError, connection
from django.db.models import F

from newsletter.common.networks import single_client_network
from subscribers.addresses.domains import make_mailbox_key
from subscribers.identity import address_key
from subscribers.models import Asking, Tally
from subscribers.models.throttles import MAX_CONFIRMATION_REQUESTS

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
CONFIRMATION_INTERVAL = timedelta(hours=24)
MAX_BAD_LINKS_PER_MINUTE = 20
_MAX_KNOWN_NETWORKS = 10_000
_bad_networks: dict[str, datetime] = {}

_COUNT = """
INSERT INTO subscribers_tally (subject, starts_at, count) VALUES (%s, %s, 1)
ON CONFLICT (subject, starts_at) DO UPDATE SET count = subscribers_tally.count + 1
RETURNING count
"""


def increment_counter(subject: str, *, now: datetime, stretch: timedelta = HOUR) -> int:
    """Counts one more of `subject` in the hour (or other stretch) of `now`; how many there are now, all processes told."""
    subject_hash, starts = _counter_key(subject, now=now, stretch=stretch)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [subject_hash, connection.ops.adapt_datetimefield_value(starts)])
        return int(cursor.fetchone()[0])


def read_counter(subject: str, *, now: datetime, stretch: timedelta = HOUR) -> int:
    """How many there are in this stretch; nothing is counted."""
    subject_hash, starts = _counter_key(subject, now=now, stretch=stretch)
    counts = Tally.objects.filter(subject=subject_hash, starts_at=starts).values_list("count", flat=True)
    return counts.first() or 0


def use_confirmation_quota(address: str, *, now: datetime) -> bool:
    """Whether this mailbox may be asked once more: once in 24 hours, three times until it confirms. Then it counts.

    All spellings of a mailbox share the count; of two askers at once, one gets the turn.
    """
    mailbox = _hash(make_mailbox_key(address))
    _, first = Asking.objects.get_or_create(mailbox=mailbox, defaults={"times": 1, "last_at": now})
    if first:
        return True
    waiting = Asking.objects.filter(
        mailbox=mailbox, times__lt=MAX_CONFIRMATION_REQUESTS, last_at__lte=now - CONFIRMATION_INTERVAL
    )
    return waiting.update(times=F("times") + 1, last_at=now) == 1


def reset_confirmation_quota(address: str) -> None:
    """The mailbox proved to be its owner's: it may be asked again about something else."""
    Asking.objects.filter(mailbox=_hash(make_mailbox_key(address))).delete()


def exceeds_bad_link_limit(address: str, *, now: datetime) -> bool:
    """Counts one more bad link from this network; True when there were more than 20 in a minute.

    A process that knows the answer asks the database no more, so that a flood of bad links costs nothing.
    """
    network, minute = single_client_network(address), now.replace(second=0, microsecond=0)
    if _bad_networks.get(network) == minute:
        return True
    try:
        many = increment_counter(f"bad link {network}", now=now, stretch=MINUTE) > MAX_BAD_LINKS_PER_MINUTE
    except DatabaseError:
        return False  # a bad link is answered the same with or without a database
    if many:
        if len(_bad_networks) >= _MAX_KNOWN_NETWORKS:
            _bad_networks.clear()
        _bad_networks[network] = minute
    return many


def clear_bad_link_cache() -> None:
    """This process knows no network any more; the counts in the database stay."""
    _bad_networks.clear()


def _counter_key(subject: str, *, now: datetime, stretch: timedelta) -> tuple[bytes, datetime]:
    seconds = int(stretch.total_seconds())
    return _hash(f"{subject}|{seconds}"), datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)


def _hash(text: str) -> bytes:
    return hmac.digest(address_key(), f"subscribers.throttle|{text}".encode(), hashlib.sha256)
