"""Takes a batch: who of it may still be mailed is looked up, and the try is on record, before anything is called.

A claim is a lease and an attempt number. Whoever comes back with an older number changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from newsletter.models import Attempt, Batch, Delivery, DeliveryException, Send
from subscribers.audience import still_eligible

LEASE = timedelta(seconds=120)


@dataclass(frozen=True)
class Claim:
    """A batch that is ours until ``lease_until``, and the deliveries in it that are to be handed over."""

    batch: Batch
    n: int
    lease_until: datetime
    deliveries: Sequence[tuple[int, int]]


def find_due_batches(*, now: datetime, limit: int = 50) -> list[int]:
    """Batches that may be taken now, oldest send first."""
    due = Q(not_before__isnull=True) | Q(not_before__lte=now)
    batches = Batch.objects.filter(due, state=Batch.State.PENDING, send__state=Send.State.SUBMITTING)
    return list(batches.order_by("send_id", "seq").values_list("pk", flat=True)[:limit])


@transaction.atomic
def claim_batch(*, batch_id: int, now: datetime) -> Claim | None:
    """Claim a pending batch of a running send, or None where somebody else has it or it may not be sent now."""
    lease_until = now + LEASE
    due = Q(not_before__isnull=True) | Q(not_before__lte=now)
    taken = Batch.objects.filter(
        due, pk=batch_id, state=Batch.State.PENDING, send__in=Send.objects.filter(state=Send.State.SUBMITTING)
    ).update(state=Batch.State.SUBMITTING, attempts=F("attempts") + 1, lease_until=lease_until, reason="")
    if not taken:
        return None
    batch = Batch.objects.select_related("variant", "send__issue__publication__mailing_list", "send__revision").get(pk=batch_id)
    deliveries = _skip_those_who_left(batch, now=now)
    Attempt.objects.create(batch=batch, n=batch.attempts, people=len(deliveries), started_at=now)
    return Claim(batch=batch, n=batch.attempts, lease_until=lease_until, deliveries=deliveries)


def _skip_those_who_left(batch: Batch, *, now: datetime) -> list[tuple[int, int]]:
    """(delivery id, subscriber id) of those still to be mailed; the others get a row that says why not."""
    waiting = list(
        Delivery.objects.filter(batch=batch)
        .exclude(exception__state__in=[DeliveryException.State.SKIPPED, DeliveryException.State.REJECTED])
        .order_by("pk")
        .values_list("pk", "subscriber_id")
    )
    mailing_list = batch.send.issue.publication.mailing_list
    eligible = still_eligible((subscriber for _, subscriber in waiting), mailing_list=mailing_list)
    left = [delivery for delivery, subscriber in waiting if subscriber not in eligible]
    DeliveryException.objects.bulk_create(
        (
            DeliveryException(delivery_id=delivery, state=DeliveryException.State.SKIPPED, reason="left since the audience was frozen", at=now)
            for delivery in left
        ),
        update_conflicts=True,
        unique_fields=["delivery"],
        update_fields=["state", "reason", "at"],
    )
    return [(delivery, subscriber) for delivery, subscriber in waiting if subscriber in eligible]
