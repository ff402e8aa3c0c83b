"""Cuts batches that are larger than a daily limit, which was lowered after they were made: they would wait for ever."""

from datetime import datetime

from django.db import transaction

from newsletter.models import Batch, Send
from newsletter.sending.limits.daily_limit import find_limit_today
from newsletter.sending.limits.split_batches import split_off

MAX_BATCHES_A_ROUND = 50


def split_oversized_batches(send: Send, *, now: datetime) -> int:
    """Cut the send's batches that were never tried so that each fits into a day. Returns how many it cut."""
    limit = find_limit_today(send.issue.publication, now=now)
    if limit is None:
        return 0
    too_large = send.batches.filter(state=Batch.State.PENDING, attempts=0, size__gt=limit)
    return sum(_split_batch(batch, limit=limit) for batch in too_large.order_by("seq")[:MAX_BATCHES_A_ROUND])


@transaction.atomic
def _split_batch(batch: Batch, *, limit: int) -> bool:
    """The first statement takes the row, so that a claim comes before it or after all of it."""
    if not Batch.objects.filter(pk=batch.pk, state=Batch.State.PENDING, attempts=0).update(not_before=batch.not_before):
        return False
    people = list(batch.deliveries.order_by("pk").values_list("pk", flat=True))
    for start in range(limit, len(people), limit):
        split_off(batch=batch, deliveries=people[start : start + limit], not_before=batch.not_before)
    return True
