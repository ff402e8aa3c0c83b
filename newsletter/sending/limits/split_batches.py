"""Cuts a batch further: people who need another try of their own, or halves of a batch refused for one of them."""

import secrets
from collections.abc import Sequence
from datetime import datetime

from django.db.models import F, Max

from newsletter.common.errors import InvariantViolated
from newsletter.models import Batch, Delivery


def split_off(*, batch: Batch, deliveries: Sequence[int], not_before: datetime | None) -> Batch:
    """Move these deliveries of a batch to a new pending one. Belongs into the transaction that settles the old one."""
    last = Batch.objects.filter(send=batch.send_id).aggregate(seq=Max("seq"), part=Max("part"))
    new = Batch.objects.create(
        send_id=batch.send_id,
        seq=last["seq"] + 1,
        part=last["part"] + 1,
        variant_id=batch.variant_id,
        size=len(deliveries),
        key=f"{batch.send_id}-{last['seq'] + 1}-{secrets.token_hex(8)}",
        not_before=not_before,
    )
    moved = Delivery.objects.filter(batch=batch, pk__in=list(deliveries)).update(batch=new)
    if moved != len(deliveries):
        raise InvariantViolated(
            f"{batch} was to be split by {len(deliveries)} people but holds {moved} of them. Nothing was changed."
        )
    Batch.objects.filter(pk=batch.pk).update(size=F("size") - moved)
    return new


def halve(*, batch: Batch, deliveries: Sequence[int]) -> list[Batch]:
    """Two new pending batches of the people who were in the call. Who had an end already stays with the old one."""
    ordered = sorted(deliveries)
    middle = len(ordered) // 2
    return [split_off(batch=batch, deliveries=half, not_before=None) for half in (ordered[:middle], ordered[middle:])]
