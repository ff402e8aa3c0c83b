"""Count the accepted and the delivered mails of sends by provider account, and decide which of the two to go by.

Some providers report no deliveries. Reports can also be set up in the middle of a send, be lost, or come late.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, Max, Min, QuerySet, Sum

from newsletter.models import Batch, Delivered, Delivery, DeliveryException
from newsletter.sending.settling.delivered_bitmap import DeliveredBits

ACCEPTED_STATES = (Batch.State.ACCEPTED, Batch.State.PARTIAL)
_BATCHES_AT_ONCE = 500
MIN_REPORTED_SHARE = 0.1
"""Accepted mails count as delivered if fewer of them than this are reported as delivered."""


class AccountMails(NamedTuple):
    """The mails of a send that one account accepted, even if they failed later, and those reported as delivered."""

    send: int
    account: str
    accepted: int
    delivered: int

    @property
    def reports_deliveries(self) -> bool:
        return self.delivered > 0 and self.delivered >= MIN_REPORTED_SHARE * self.accepted

    @property
    def having_the_mail(self) -> int:
        """Return how many people have the mail, as far as anybody can know."""
        return self.delivered if self.reports_deliveries else self.accepted


class _BatchMails(NamedTuple):
    """A batch, the number of its people, and how many of them are reported as delivered."""

    send: int
    account: str
    settled_at: datetime
    people: int
    delivered: int


def find_unreported_batches(accounts: Iterable[AccountMails]) -> dict[int, int]:
    """Return the accepted batches whose delivery reports are missing, not just late, and their numbers of unreported mails.

    Too few of their mails are reported, though the account reported a batch that it accepted later: staff set the reports up
    in between, or some were lost. Accounts that report hardly any deliveries are left out: all their mails count anyway.
    """
    reporting = {(mails.send, mails.account) for mails in accounts if mails.reports_deliveries}
    if not reporting:
        return {}
    batches = Batch.objects.filter(
        send__in={send for send, _ in reporting}, state__in=ACCEPTED_STATES, settled_at__isnull=False
    )
    failed = dict(
        DeliveryException.objects.filter(delivery__batch__in=batches, delivery__proof=False)
        .exclude(state="")
        .values_list("delivery__batch")
        .annotate(Count("pk"))
    )
    bits = {send: DeliveredBits(send) for send in {send for send, _ in reporting}}
    last_reported: dict[tuple[int, str], datetime] = {}
    silent: list[tuple[int, tuple[int, str], datetime, int]] = []
    for batch, mails in _count_batches(batches, bits=bits).items():
        key, settled_at, delivered = (mails.send, mails.account), mails.settled_at, mails.delivered
        accepted = mails.people - failed.get(batch, 0)
        if key not in reporting:
            continue
        if delivered > 0 and delivered >= MIN_REPORTED_SHARE * accepted:
            last_reported[key] = max(last_reported.get(key, settled_at), settled_at)
        elif accepted > delivered:
            silent.append((batch, key, settled_at, accepted - delivered))
    return {
        batch: missing
        for batch, key, settled_at, missing in silent
        if key in last_reported and settled_at < last_reported[key]
    }


def _count_batches(batches: QuerySet[Batch], *, bits: Mapping[int, DeliveredBits]) -> dict[int, _BatchMails]:
    """Count the people of each batch that has some, without proofs, and those reported as delivered.

    The ids of a batch follow each other until its people move: when they are tried again, or when an issue is completed.
    The ids of such a batch are read.
    """
    mails = Delivery.objects.filter(proof=False).order_by()
    fields = ("batch", "batch__send", "batch__account", "batch__settled_at")
    rows = mails.filter(batch__in=batches).values_list(*fields).annotate(Min("pk"), Max("pk"), Count("pk"))
    counted: dict[int, _BatchMails] = {}
    scattered: dict[int, _BatchMails] = {}
    for batch, send, account, settled_at, first, last, people in rows:
        if last - first + 1 == people:
            delivered = bits[send].count_between(first, last)
            counted[batch] = _BatchMails(send, account, settled_at, people, delivered)
        else:
            scattered[batch] = _BatchMails(send, account, settled_at, people, 0)
    delivered_of: Counter[int] = Counter()
    keys = list(scattered)
    for start in range(0, len(keys), _BATCHES_AT_ONCE):
        deliveries = mails.filter(batch__in=keys[start : start + _BATCHES_AT_ONCE]).values_list("batch", "pk")
        delivered_of.update(
            batch for batch, pk in deliveries.iterator(chunk_size=10_000) if pk in bits[scattered[batch].send]
        )
    return counted | {batch: count._replace(delivered=delivered_of[batch]) for batch, count in scattered.items()}


def count_by_account(sends: Collection[int]) -> list[AccountMails]:
    """Count the mails of the sends, without proofs."""
    accepted: Counter[tuple[int, str]] = Counter()
    batches = Batch.objects.filter(send__in=sends, state__in=ACCEPTED_STATES)
    for send, account, people in batches.values_list("send", "account").annotate(Sum("size")):
        accepted[send, account] += people
    failed = DeliveryException.objects.filter(delivery__batch__in=batches, delivery__proof=False).exclude(state="")
    grouped = failed.values_list("delivery__batch__send", "delivery__batch__account").annotate(Count("pk"))
    for send, account, people in grouped:
        accepted[send, account] -= people
    delivered: Counter[tuple[int, str]] = Counter()
    reported = Delivered.objects.filter(send__in=sends)
    for send, account, people in reported.values_list("send", "account").annotate(Sum("people")):
        delivered[send, account] += people
    return [AccountMails(*key, accepted[key], delivered[key]) for key in sorted({*accepted, *delivered})]
