"""Claim the webhooks that are due, so that two workers never send to one endpoint at the same time."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q

from subscribers.models import WebhookDelivery, WebhookEndpoint
from subscribers.models.webhooks import MAX_LEASE, unleased

MAX_PER_ENDPOINT = 200
MAX_RETRY_AHEAD = timedelta(days=2)
"""A wait beyond this is of a clock that was set back."""


def claim_due(*, now: datetime) -> list[WebhookDelivery]:
    """Return the deliveries that this worker alone may send until their lease ends.

    Each person's earliest comes first. An endpoint that failed last gets one, to see whether it answers again.
    """
    claim = uuid.uuid4()
    chosen: list[int] = []
    for endpoint in _find_answering(now):
        limit = 1 if endpoint.failures else MAX_PER_ENDPOINT
        due = WebhookDelivery.objects.claimable(now=now).filter(~_follows_another(), endpoint=endpoint)
        chosen += due.order_by("due_at", "pk").values_list("pk", flat=True)[:limit]
    if not chosen:
        return []
    free = WebhookDelivery.objects.pending().filter(unleased(now), pk__in=chosen)
    free.update(claim=claim, leased_until=now + MAX_LEASE)
    claimed = WebhookDelivery.objects.pending().filter(claim=claim)
    return list(claimed.select_related("endpoint", "event").order_by("endpoint", "event"))


def release(deliveries: Sequence[WebhookDelivery]) -> None:
    """Give back what was claimed and not tried."""
    if deliveries:
        held = WebhookDelivery.objects.pending().filter(claim=deliveries[0].claim)
        held.filter(pk__in=[delivery.pk for delivery in deliveries]).update(claim=None, leased_until=None)


def _find_answering(now: datetime) -> list[WebhookEndpoint]:
    """Return the active endpoints that need not wait and that no other worker is sending to."""
    waits = Q(retry_at__gt=now, retry_at__lte=now + MAX_RETRY_AHEAD)
    busy = WebhookDelivery.objects.claimed(now=now).filter(endpoint=OuterRef("pk"))
    active = WebhookEndpoint.objects.filter(~Exists(busy), state=WebhookEndpoint.State.ACTIVE)
    return list(active.exclude(waits))


def _follows_another() -> Exists:
    """Return True for a delivery while an earlier one about the same person waits."""
    earlier = WebhookDelivery.objects.pending().filter(
        endpoint=OuterRef("endpoint"), person=OuterRef("person"), event__lt=OuterRef("event")
    )
    return Exists(earlier)
