"""Takes a batch: who of it may still be mailed is looked up, and the try is on record, before anything is called.

A claim is a lease and an attempt number. Whoever comes back with an older number changes nothing.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, Q, QuerySet

from newsletter.models import Attempt, Batch, DeliveryException, Installation, Send
from newsletter.sending.lease import LEASE
from newsletter.sending.readers import Reader, find_readers

LEFT = "left since the audience was frozen"


@dataclass(frozen=True)
class Claim:
    """A batch that is ours until ``lease_until``, and the people in it who are to be handed over."""

    batch: Batch
    n: int
    lease_until: datetime
    readers: list[Reader]


def find_due_batches(*, now: datetime, limit: int = 50) -> list[int]:
    """Batches that may be taken now, oldest send first."""
    due = Q(not_before__isnull=True) | Q(not_before__lte=now)
    batches = Batch.objects.filter(due, state=Batch.State.PENDING, send__in=running_sends(now=now))
    return list(batches.order_by("send_id", "seq").values_list("pk", flat=True)[:limit])


def running_sends(*, now: datetime) -> QuerySet[Send]:
    """Sends whose batches may be taken now: not paused, not put off, and nothing is held in this installation."""
    open_now = Q(not_before__isnull=True) | Q(not_before__lte=now)
    return Send.objects.filter(open_now, ~Exists(Installation.objects.filter(held=True)), state=Send.State.SUBMITTING)


@transaction.atomic
def claim_batch(*, batch_id: int, now: datetime) -> Claim | None:
    """Claim a pending batch of a running send, or None where somebody else has it or it may not be sent now."""
    lease_until = now + LEASE
    due = Q(not_before__isnull=True) | Q(not_before__lte=now)
    taken = Batch.objects.filter(due, pk=batch_id, state=Batch.State.PENDING, send__in=running_sends(now=now)).update(
        state=Batch.State.SUBMITTING, attempts=F("attempts") + 1, lease_until=lease_until, reason=""
    )
    if not taken:
        return None
    batch = Batch.objects.select_related("send__issue__publication__mailing_list").get(pk=batch_id)
    readers = find_readers(batch, mailing_list=batch.send.issue.publication.mailing_list, now=now)
    if readers.left:
        _leave_out(readers.left, batch=batch, now=now)
    Attempt.objects.create(batch=batch, n=batch.attempts, people=len(readers.staying), started_at=now)
    return Claim(batch=batch, n=batch.attempts, lease_until=lease_until, readers=readers.staying)


def _leave_out(left: list[int], *, batch: Batch, now: datetime) -> None:
    """Who left is not mailed. Where an earlier call's end is unknown, so is whether it reached them before they left."""
    in_doubt = batch.tries.filter(outcome="uncertain").exists()
    state = DeliveryException.State.UNCERTAIN if in_doubt else DeliveryException.State.SKIPPED
    DeliveryException.objects.bulk_create(
        (DeliveryException(delivery_id=delivery, state=state, reason=LEFT, at=now) for delivery in left),
        update_conflicts=True,
        unique_fields=["delivery"],
        update_fields=["state", "reason", "at"],
    )
