"""Split batches: for people who need another attempt, after a refused batch, and when a daily limit was lowered."""

import secrets
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F, Max, Q

from newsletter.common.errors import InvariantViolated
from newsletter.models import Batch, Delivery, Send
from newsletter.sending.limits.send_times import find_limit_today

MAX_OVERSIZED_BATCHES_A_ROUND = 50


def split_off(*, batch: Batch, deliveries: Sequence[int], not_before: datetime | None, handed_to: str = "") -> Batch:
    """Move deliveries of a batch to a new pending batch of the same account.

    ``handed_to`` is that account if it may have their mails already, so that no other account gets them.

    Call it in the transaction that settles the old batch. Raise InvariantViolated if one of them is not in it.
    """
    last = Batch.objects.filter(send=batch.send_id).aggregate(seq=Max("seq"), part=Max("part"))
    new = Batch.objects.create(
        send_id=batch.send_id,
        seq=last["seq"] + 1,
        part=last["part"] + 1,
        variant_id=batch.variant_id,
        size=len(deliveries),
        key=make_batch_key(batch.send_id, last["seq"] + 1),
        account=batch.account,
        handed_to=handed_to,
        due_at=batch.due_at,
        waits=batch.waits,
        not_before=not_before,
    )
    moved = Delivery.objects.filter(batch=batch, pk__in=list(deliveries)).update(batch=new)
    if moved != len(deliveries):
        raise InvariantViolated(
            "%(batch)s should give %(wanted)s people to a new batch but holds %(moved)s of them. Nothing was changed. "
            "This is a defect: report it.",
            batch=batch,
            wanted=len(deliveries),
            moved=moved,
        )
    Batch.objects.filter(pk=batch.pk).update(size=F("size") - moved)
    return new


def halve(*, batch: Batch, deliveries: Sequence[int], handed_to: str = "") -> list[Batch]:
    """Move the people of a refused call to two new pending batches."""
    ordered = sorted(deliveries)
    middle = len(ordered) // 2
    return [
        split_off(batch=batch, deliveries=half, not_before=None, handed_to=handed_to)
        for half in (ordered[:middle], ordered[middle:])
    ]


def make_batch_key(send_id: int, seq: int) -> str:
    """Return a new idempotency key."""
    return f"{send_id}-{seq}-{secrets.token_hex(8)}"


def split_oversized_batches(send: Send, *, now: datetime) -> int:
    """Split batches that never fit into a day because the daily limit was lowered. Return how many were split.

    Batches that were attempted before, or wait for a subject test, are left as they are.
    """
    unattempted = send.batches.movable().filter(waits=False, attempt_number=0)
    oversized = Q()
    for account in set(unattempted.order_by().values_list("account", flat=True).distinct()):
        if limit := find_limit_today(send.issue.publication, now=now, account=account):
            oversized |= Q(account=account, size__gt=limit)
    if not oversized:
        return 0
    publication, split = send.issue.publication, 0
    for batch in unattempted.filter(oversized).order_by("seq")[:MAX_OVERSIZED_BATCHES_A_ROUND]:
        split += split_batch(batch, limit=find_limit_today(publication, now=now, account=batch.account) or batch.size)
    return split


@transaction.atomic
def split_batch(batch: Batch, *, limit: int) -> bool:
    """Split a batch that no account has or may have. Return False if that is no longer so."""
    # The UPDATE locks the row: a claim, or a move to another account, comes before it or after the whole split.
    unclaimed = Batch.objects.movable().filter(pk=batch.pk, account=batch.account)
    if not unclaimed.update(not_before=batch.not_before):
        return False
    people = list(batch.deliveries.order_by("pk").values_list("pk", flat=True))
    for start in range(limit, len(people), limit):
        split_off(batch=batch, deliveries=people[start : start + limit], not_before=batch.not_before)
    return True
