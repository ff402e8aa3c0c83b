"""Send events again that an endpoint lost, by their id or from a moment on, and forget old ones."""

import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from newsletter.common.errors import NotFound
from newsletter.outbound.endpoints import require_active
from subscribers.models import EventKind, OutboundEvent, WebhookDelivery, WebhookEndpoint

RETENTION = timedelta(days=30)


def replay_event(*, endpoint: WebhookEndpoint, message_id: str, now: datetime) -> int:
    """Send one event again, by the id that a receiver has seen in `webhook-id`. Raises NotFound and NotReady."""
    try:
        events = OutboundEvent.objects.exclude(kind=EventKind.TEST).filter(
            uid=uuid.UUID(message_id.strip().removeprefix("evt_"))
        )
    except ValueError:
        events = OutboundEvent.objects.none()
    if not events.exists():
        raise NotFound(
            "There is no event “%(id)s”. Copy the id from the header webhook-id. Events are kept for 30 days.",
            id=message_id[:80],
        )
    return _replay(endpoint, events, now=now)


def replay_since(*, endpoint: WebhookEndpoint, since: datetime, now: datetime) -> int:
    """Send again every event since this moment that the endpoint takes. Return how many."""
    kinds = [kind for kind in EventKind if endpoint.wants(kind) and kind != EventKind.TEST]
    return _replay(endpoint, OutboundEvent.objects.filter(at__gte=since, kind__in=kinds), now=now)


def delete_old_outbound_events(*, now: datetime) -> int:
    """Delete events after 30 days, with their deliveries. Return how many rows."""
    deleted, _ = OutboundEvent.objects.filter(at__lt=now - RETENTION).delete()
    return deleted


@transaction.atomic
def _replay(endpoint: WebhookEndpoint, events: QuerySet[OutboundEvent], *, now: datetime) -> int:
    require_active(endpoint)
    fresh = {
        "state": WebhookDelivery.State.PENDING,
        "due_at": now,
        "first_attempt_at": None,
        "attempts": 0,
        "claim": None,
        "leased_until": None,
    }
    settled = endpoint.deliveries.filter(~Q(state=WebhookDelivery.State.PENDING), event__in=events)
    again = settled.update(**fresh)
    recorded = endpoint.deliveries.filter(event__in=events).values("event")
    new = WebhookDelivery.objects.bulk_create(
        WebhookDelivery(endpoint=endpoint, event=event, person=event.person, due_at=now)
        for event in events.exclude(pk__in=recorded).order_by("pk").iterator(chunk_size=1_000)
    )
    return again + len(new)
