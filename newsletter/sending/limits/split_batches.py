"""Split batches: for people who need another attempt, after a refused batch, and when a daily limit was lowered."""

import secrets
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F, Max

from newsletter.common.errors import InvariantViolated
from newsletter.models import Batch, Delivery, Send
from newsletter.sending.limits.send_times import find_limit_today

MAX_OVERSIZED_BATCHES_A_ROUND = 50


def split_off(*, batch: Batch, deliveries: Sequence[int], not_before: datetime | None) -> Batch:
    """Move deliveries of a batch to a new pending batch.

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


def halve(*, batch: Batch, deliveries: Sequence[int]) -> list[Batch]:
    """Move the people of a refused call to two new pending batches."""
    ordered = sorted(deliveries)
    middle = len(ordered) // 2
    return [split_off(batch=batch, deliveries=half, not_before=None) for half in (ordered[:middle], ordered[middle:])]


def make_batch_key(send_id: int, seq: int) -> str:
    """Return a new idempotency key."""
    return f"{send_id}-{seq}-{secrets.token_hex(8)}"


def split_oversized_batches(send: Send, *, now: datetime) -> int:
    """Split batches that never fit into a day because the daily limit was lowered. Return how many were split.

    Batches that were attempted before, or wait for a subject test, are left as they are.
    """
    limit = find_limit_today(send.issue.publication, now=now)
    if limit is None:
        return 0
    oversized = send.batches.filter(state=Batch.State.PENDING, waits=False, attempt_number=0, size__gt=limit)
    return sum(_split_batch(batch, limit=limit) for batch in oversized.order_by("seq")[:MAX_OVERSIZED_BATCHES_A_ROUND])


@transaction.atomic
def _split_batch(batch: Batch, *, limit: int) -> bool:
    # The UPDATE locks the row: a claim comes before it or after the whole split.
    unclaimed = Batch.objects.filter(pk=batch.pk, state=Batch.State.PENDING, attempt_number=0)
    if not unclaimed.update(not_before=batch.not_before):
        return False
    people = list(batch.deliveries.order_by("pk").values_list("pk", flat=True))
    for start in range(limit, len(people), limit):
        split_off(batch=batch, deliveries=people[start : start + limit], not_before=batch.not_before)
    return True
