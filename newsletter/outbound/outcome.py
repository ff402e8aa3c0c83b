"""Record how an attempt ended: delivered, again later, given up, or the endpoint rests."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Coalesce, Least

from newsletter.common.messages import Message
from subscribers.models import WebhookDelivery, WebhookEndpoint
from subscribers.models.webhooks import MAX_RETRY_WAIT

DELAYS = [timedelta(seconds=5), *(timedelta(minutes=minutes) for minutes in (5, 30, 120, 300, 600, 840, 1200))]
"""Waits after the first, second … failed attempt; the last one repeats."""
ENDPOINT_DELAYS = [timedelta(seconds=seconds) for seconds in (5, 30, 60, 300)]
PATIENCE = timedelta(days=3)
GONE = 410


def record_delivered(deliveries: Sequence[WebhookDelivery], *, now: datetime) -> None:
    """Note that one endpoint took these. Each row has the ``status`` and the ``milliseconds`` of its answer already."""
    if not deliveries:
        return
    with transaction.atomic():
        failing = _find_asked_endpoint(deliveries[0]).filter(failures__gt=0)
        if failing.update(failures=0, failing_since=None, retry_at=None):
            WebhookDelivery.objects.pending().filter(endpoint=deliveries[0].endpoint_id).update(due_at=now)
        held = WebhookDelivery.objects.pending().filter(claim=deliveries[0].claim)
        for (status, milliseconds), ids in _group_by_answer(deliveries).items():
            held.filter(pk__in=ids).update(
                state=WebhookDelivery.State.DELIVERED,
                status=status,
                milliseconds=milliseconds,
                error="",
                **_attempted(now),
            )


def record_failed(
    delivery: WebhookDelivery,
    *,
    error: str,
    now: datetime,
    status: int | None = None,
    milliseconds: int | None = None,
    retry_after: int | None = None,
) -> None:
    """Note a failed attempt. After 3 days the delivery is given up; an endpoint that took nothing for so long rests."""
    first = delivery.first_attempt_at or now
    over = now - first >= PATIENCE
    wait = DELAYS[min(delivery.attempts, len(DELAYS) - 1)]
    if retry_after is not None:
        wait = min(max(wait, timedelta(seconds=retry_after)), MAX_RETRY_WAIT)
    with transaction.atomic():
        _count_failure(delivery, gone=status == GONE, wait=wait if retry_after else None, now=now)
        WebhookDelivery.objects.pending().filter(pk=delivery.pk, claim=delivery.claim).update(
            state=WebhookDelivery.State.GIVEN_UP if over else WebhookDelivery.State.PENDING,
            status=status,
            milliseconds=milliseconds,
            error=error,
            due_at=now + wait,
            **_attempted(now),
        )


def describe_status(status: int) -> str:
    """Return in words why an answer does not count as taken."""
    if 300 <= status < 400:
        return Message(
            "The receiver redirects (status %(status)s). Webhooks do not follow: enter the final address.",
            status=status,
        )
    if status == GONE:
        return Message("The receiver says that this address is gone (status %(status)s).", status=status)
    return Message("The receiver answered with status %(status)s. It must answer with 200 to 299.", status=status)


def _group_by_answer(deliveries: Sequence[WebhookDelivery]) -> dict[tuple[int | None, int | None], list[int]]:
    groups = defaultdict(list)
    for delivery in deliveries:
        groups[delivery.status, delivery.milliseconds].append(delivery.pk)
    return groups


def _attempted(now: datetime) -> dict[str, object]:
    """Return the changes of each attempt. Callers write only what their claim still holds.

    A first attempt in the future was written by a clock that was ahead: it counts as now, so that the delivery is given up.
    """
    return {
        "claim": None,
        "leased_until": None,
        "attempts": F("attempts") + 1,
        "first_attempt_at": Least(Coalesce(F("first_attempt_at"), Value(now)), Value(now)),
        "attempted_at": now,
    }


def _find_asked_endpoint(delivery: WebhookDelivery) -> QuerySet[WebhookEndpoint]:
    """Return the endpoint of an attempt if it is active and still has the address that was asked."""
    endpoints = WebhookEndpoint.objects.filter(pk=delivery.endpoint_id, url=delivery.endpoint.url)
    return endpoints.filter(state=WebhookEndpoint.State.ACTIVE)


def _count_failure(delivery: WebhookDelivery, *, gone: bool, wait: timedelta | None, now: datetime) -> None:
    """Postpone the endpoint's events for as long as it asked. Messages that fail at the same time count as one failure."""
    endpoint = _find_asked_endpoint(delivery).select_for_update(no_key=True).first()
    if endpoint is None or (_waits(endpoint, now=now) and not gone):
        return
    delay = ENDPOINT_DELAYS[min(endpoint.failures, len(ENDPOINT_DELAYS) - 1)]
    endpoint.retry_at = now + max(delay, wait or delay)
    endpoint.failures += 1
    endpoint.failing_since = min(endpoint.failing_since or now, now)
    if gone or now - endpoint.failing_since >= PATIENCE:
        endpoint.state = WebhookEndpoint.State.STOPPED
    endpoint.save(update_fields=["state", "failures", "failing_since", "retry_at"])


def _waits(endpoint: WebhookEndpoint, *, now: datetime) -> bool:
    """Return True while the endpoint waits after a failure. No wait is longer than `MAX_RETRY_WAIT`."""
    return endpoint.retry_at is not None and now < endpoint.retry_at <= now + MAX_RETRY_WAIT
