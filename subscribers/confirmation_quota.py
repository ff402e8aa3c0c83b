"""The quota of confirmation mails of each mailbox. Requests that were never mailed do not count.

The rows hold keyed hashes, never an address.
"""

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Greatest

from newsletter.common.database.future_times import is_ahead, make_ahead_filter
from subscribers.addresses.domains import make_mailbox_key
from subscribers.identity import address_key
from subscribers.models import Confirmation, ConfirmationQuota, Subscription
from subscribers.models.throttles import MAX_CONFIRMATION_REQUESTS

CONFIRMATION_INTERVAL = timedelta(hours=24)
CONFIRMATION_QUOTA_RETENTION = timedelta(days=180)
"""How long a mailbox that confirmed nothing is remembered. If it had as many mails as it may get, it gets none so long."""


def use_confirmation_quota(address: str, *, now: datetime) -> bool:
    """Count a confirmation mail to this mailbox and return True, or return False if it may not get one now.

    A mailbox gets one in 24 hours, and three until it confirms. All spellings of a mailbox share the quota.
    Of two requests at once, one gets True. A mail that is repeated because the provider gave no clear answer counts once.
    """
    mailbox = _hash_mailbox(address)
    _, created = ConfirmationQuota.objects.get_or_create(
        mailbox=mailbox, defaults={"request_count": 1, "last_requested_at": now}
    )
    if created:
        return True
    waited = Q(last_requested_at__lte=now - CONFIRMATION_INTERVAL) | make_ahead_filter("last_requested_at", now=now)
    free = ConfirmationQuota.objects.filter(waited, mailbox=mailbox, request_count__lt=MAX_CONFIRMATION_REQUESTS)
    return free.update(request_count=F("request_count") + 1, last_requested_at=now) == 1


def use_confirmation_quotas(addresses: Sequence[str], *, now: datetime) -> set[str]:
    """Count a confirmation mail to each of these addresses whose mailbox may get one now. Return these addresses.

    Of several spellings of a mailbox, the first counts. The caller is in a transaction.
    """
    mailboxes: dict[bytes, str] = {}
    for address in addresses:
        mailboxes.setdefault(_hash_mailbox(address), address)
    quotas = ConfirmationQuota.objects.filter(mailbox__in=list(mailboxes)).order_by("mailbox").select_for_update()
    rows = {bytes(row.mailbox): row for row in quotas}
    free = [row for row in rows.values() if _may_be_asked(row, now=now)]
    ConfirmationQuota.objects.filter(pk__in=[row.pk for row in free]).update(
        request_count=F("request_count") + 1, last_requested_at=now
    )
    new = sorted(mailboxes.keys() - rows.keys())
    ConfirmationQuota.objects.bulk_create(
        [ConfirmationQuota(mailbox=mailbox, request_count=1, last_requested_at=now) for mailbox in new],
        ignore_conflicts=True,
    )
    # Somebody may have asked one of these mailboxes at the same moment, by another process: then theirs counts.
    made = ConfirmationQuota.objects.filter(mailbox__in=new, last_requested_at=now).values_list("mailbox", flat=True)
    return {mailboxes[bytes(mailbox)] for mailbox in [*made, *(row.mailbox for row in free)]}


def move_confirmation_quota(address: str, *, used_at: datetime) -> bool:
    """Count a confirmation mail that was asked for at another address of a person and goes to this one.

    Return False if the mailbox has had as many as it may get. It need not wait for 24 hours, or the request would be lost.
    """
    mailbox = _hash_mailbox(address)
    _, created = ConfirmationQuota.objects.get_or_create(
        mailbox=mailbox, defaults={"request_count": 1, "last_requested_at": used_at}
    )
    if created:
        return True
    free = ConfirmationQuota.objects.filter(mailbox=mailbox, request_count__lt=MAX_CONFIRMATION_REQUESTS)
    last = Greatest(F("last_requested_at"), used_at)
    return free.update(request_count=F("request_count") + 1, last_requested_at=last) == 1


def find_next_confirmation(address: str, *, now: datetime) -> datetime:
    """Return when this mailbox may get another confirmation mail: `now`, or later. One that waits to be sent counts."""
    quota = ConfirmationQuota.objects.filter(mailbox=_hash_mailbox(address)).first()
    if quota is None:
        return now
    is_used_up = quota.request_count >= MAX_CONFIRMATION_REQUESTS
    wait = CONFIRMATION_QUOTA_RETENTION if is_used_up else CONFIRMATION_INTERVAL
    return max(now, quota.last_requested_at + wait)


def give_back_confirmation_quota(*addresses: str, used_at: datetime) -> None:
    """Count one confirmation mail less to each of these mailboxes, because it was never sent.

    If no other was counted since ``used_at``, the next one need not wait: those before are 24 hours older at least.
    """
    mailboxes = [_hash_mailbox(address) for address in addresses]
    used = ConfirmationQuota.objects.filter(mailbox__in=mailboxes, request_count__gt=0)
    used.filter(last_requested_at=used_at).update(last_requested_at=used_at - CONFIRMATION_INTERVAL)
    used.update(request_count=F("request_count") - 1)


def reset_confirmation_quota(address: str) -> None:
    """Restore the whole quota of a mailbox, because its owner confirmed."""
    ConfirmationQuota.objects.filter(mailbox=_hash_mailbox(address)).delete()


@transaction.atomic(savepoint=False)
def delete_unsent_requests(requests: QuerySet[Confirmation]) -> Sequence[Confirmation]:
    """Delete and return those of these confirmations that nobody claimed to send. Their mailboxes may get as many others.

    The caller has locked the people. A confirmation before counts as a whole quota, so an earlier request adds nothing.
    """
    confirmed = Subscription.objects.filter(
        subscriber=OuterRef("subscriber"), confirmed_at__gte=OuterRef("requested_at")
    )
    unsent = requests.filter(sent_at__isnull=True).order_by("subscriber", "pk").annotate(was_reset=Exists(confirmed))
    rows = list(unsent.select_related("subscriber").select_for_update(of=("self",)))
    if not rows:
        return []
    Confirmation.objects.filter(pk__in=[row.pk for row in rows]).delete()
    addresses = defaultdict(list)
    for row in rows:
        if not row.was_reset:
            addresses[row.requested_at].append(row.subscriber.email)
    for used_at, mailing in addresses.items():
        give_back_confirmation_quota(*mailing, used_at=used_at)
    return rows


def _may_be_asked(quota: ConfirmationQuota, *, now: datetime) -> bool:
    last = quota.last_requested_at
    waited = last <= now - CONFIRMATION_INTERVAL or is_ahead(last, now=now)
    return waited and quota.request_count < MAX_CONFIRMATION_REQUESTS


def _hash_mailbox(address: str) -> bytes:
    text = f"subscribers.throttle|{make_mailbox_key(address)}"
    return hmac.digest(address_key(), text.encode(), hashlib.sha256)
