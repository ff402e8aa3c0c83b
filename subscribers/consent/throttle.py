"""Rate limits for sign-ups, confirmation mails and bad links. The counts are in the database, shared by all processes.

The rows hold keyed hashes, never an address. A valid link is never limited.
"""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from django.db import DatabaseError, transaction
from django.db.models import F

from newsletter.common.networks import single_client_network
from subscribers.addresses.domains import make_mailbox_key
from subscribers.identity import address_key
from subscribers.models import ConfirmationQuota, RateCounter
from subscribers.models.throttles import MAX_CONFIRMATION_REQUESTS

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
CONFIRMATION_INTERVAL = timedelta(hours=24)
CONFIRMATION_QUOTA_RETENTION = timedelta(days=180)
"""How long a mailbox that confirmed nothing is remembered. If it had as many mails as it may get, it gets none so long."""
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


def use_confirmation_quota(address: str, *, now: datetime) -> bool:
    """Count a confirmation mail to this mailbox and return True, or return False if it may not get one now.

    A mailbox gets one in 24 hours, and three until it confirms. All spellings of a mailbox share the quota.
    Of two requests at once, one gets True.
    """
    mailbox = _hash(make_mailbox_key(address))
    _, created = ConfirmationQuota.objects.get_or_create(
        mailbox=mailbox, defaults={"request_count": 1, "last_requested_at": now}
    )
    if created:
        return True
    free = ConfirmationQuota.objects.filter(
        mailbox=mailbox,
        request_count__lt=MAX_CONFIRMATION_REQUESTS,
        last_requested_at__lte=now - CONFIRMATION_INTERVAL,
    )
    return free.update(request_count=F("request_count") + 1, last_requested_at=now) == 1


def find_next_confirmation(address: str, *, now: datetime) -> datetime:
    """Return when this mailbox may get another confirmation mail: `now`, or later. One that waits to be sent counts."""
    quota = ConfirmationQuota.objects.filter(mailbox=_hash(make_mailbox_key(address))).first()
    if quota is None:
        return now
    is_used_up = quota.request_count >= MAX_CONFIRMATION_REQUESTS
    wait = CONFIRMATION_QUOTA_RETENTION if is_used_up else CONFIRMATION_INTERVAL
    return max(now, quota.last_requested_at + wait)


def give_back_confirmation_quota(address: str, *, used_at: datetime) -> None:
    """Count one confirmation mail to this mailbox less, because it was never sent.

    If no other was counted since ``used_at``, the next one need not wait: those before are 24 hours older at least.
    """
    used = ConfirmationQuota.objects.filter(mailbox=_hash(make_mailbox_key(address)), request_count__gt=0)
    used.filter(last_requested_at=used_at).update(last_requested_at=used_at - CONFIRMATION_INTERVAL)
    used.update(request_count=F("request_count") - 1)


def reset_confirmation_quota(address: str) -> None:
    """Restore the whole quota of a mailbox, because its owner confirmed."""
    ConfirmationQuota.objects.filter(mailbox=_hash(make_mailbox_key(address))).delete()


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
