"""Send the webhooks that are due. Threads only post; this thread alone reads and writes the database."""

import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, zip_longest

import orjson
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from newsletter.common.errors import DomainError
from newsletter.content.fetching.poster import Poster
from newsletter.models import Installation
from newsletter.outbound.outcome import describe_status, record_delivered, record_failed
from newsletter.outbound.signing import read_secrets, sign
from subscribers.models import OutboundEvent, Subscriber, WebhookDelivery, WebhookEndpoint
from subscribers.models.webhooks import MAX_LEASE, unleased

THREADS_PER_ENDPOINT, MAX_THREADS = 4, 16
CHUNK_SECONDS = 20.0
"""A chunk begins no attempt later than this after its first, so that a slow receiver holds nobody up."""
RUN_SECONDS = 20.0
LEASE_SECONDS = MAX_LEASE.total_seconds() - 40
"""No attempt begins later: finding the address and the longest answer still end within the lease."""
MAX_PER_ENDPOINT = 200
MAX_RETRY_AHEAD = timedelta(days=2)
"""A wait beyond this is of a clock that was set back."""


@dataclass(frozen=True)
class Attempt:
    """The result of an attempt to deliver. ``error`` is "" if the receiver took it."""

    delivery: WebhookDelivery
    error: str = ""
    status: int | None = None
    milliseconds: int | None = None
    retry_after: int | None = None


def deliver_due(*, clock: Callable[[], datetime], stopping: Callable[[], bool] = lambda: False) -> int:
    """Send the due events. Return how many attempts were made.

    After ``RUN_SECONDS`` no further round begins. An installation on hold, such as a restored copy, sends nothing.
    """
    if not WebhookEndpoint.objects.filter(state=WebhookEndpoint.State.ACTIVE).exists():
        return 0
    attempts, started = 0, time.monotonic()
    while time.monotonic() - started < RUN_SECONDS and not stopping():
        if Installation.objects.filter(held=True).exists() or not (claimed := claim_due(now=clock())):
            break
        attempts += _deliver(claimed, clock=clock, stopping=stopping)
    return attempts


def has_waiting_webhook(*, by: datetime) -> bool:
    """Return True if a webhook may be sent by this time. It may wait for another attempt, or for the end of a lease."""
    waits = Q(endpoint__retry_at__gt=by, endpoint__retry_at__lte=by + MAX_RETRY_AHEAD)
    due = WebhookDelivery.objects.due(now=by).filter(endpoint__state=WebhookEndpoint.State.ACTIVE)
    return due.exclude(waits).exists()


def _deliver(claimed: Sequence[WebhookDelivery], *, clock: Callable[[], datetime], stopping: Callable[[], bool]) -> int:
    until = time.monotonic() + LEASE_SECONDS
    bodies, attempts = make_bodies(claimed), 0
    with ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="webhooks") as pool:
        chunks = {
            pool.submit(_post_chunk, chunk, bodies, until=until, clock=clock, stopping=stopping): chunk
            for chunk in _split(claimed)
        }
        for job in as_completed(chunks):
            made = job.result()
            _record(made, now=clock())
            release(chunks[job][len(made) :])
            attempts += len(made)
    return attempts


def _split(claimed: Sequence[WebhookDelivery]) -> list[list[WebhookDelivery]]:
    """Return chunks that each go to one endpoint, at most ``THREADS_PER_ENDPOINT`` for each, in turn."""
    by_endpoint = []
    for _, group in groupby(claimed, key=lambda delivery: delivery.endpoint_id):
        rows = list(group)
        size = -(-len(rows) // THREADS_PER_ENDPOINT)
        by_endpoint.append([rows[start : start + size] for start in range(0, len(rows), size)])
    return [chunk for turn in zip_longest(*by_endpoint) for chunk in turn if chunk]


def _post_chunk(
    chunk: Sequence[WebhookDelivery],
    bodies: dict[int, bytes],
    *,
    until: float,
    clock: Callable[[], datetime],
    stopping: Callable[[], bool],
) -> list[Attempt]:
    """Post one after another, until one fails: the endpoint then decides when it is asked again."""
    made: list[Attempt] = []
    until = min(until, time.monotonic() + CHUNK_SECONDS)
    try:
        secrets = read_secrets(chunk[0].endpoint, now=clock())
        with Poster(chunk[0].endpoint.url, allow=settings.NEWSLETTER_FETCH_ALLOW) as poster:
            for delivery in chunk:
                if stopping() or time.monotonic() > until or (made and made[-1].error):
                    break
                made.append(_post(poster, delivery, bodies[delivery.pk], secrets=secrets, now=clock()))
    except DomainError as error:
        made.append(Attempt(chunk[len(made)], error.message))
    return made


def _post(poster: Poster, delivery: WebhookDelivery, body: bytes, *, secrets: Sequence[str], now: datetime) -> Attempt:
    headers = sign(
        secrets_=secrets,
        message_id=make_message_id(delivery.event),
        timestamp=int(now.timestamp()),
        body=body,
    )
    posted = poster.post(body, headers=headers)
    error = "" if 200 <= posted.status < 300 else describe_status(posted.status)
    return Attempt(delivery, error, posted.status, posted.milliseconds, posted.retry_after)


@transaction.atomic
def _record(made: Sequence[Attempt], *, now: datetime) -> None:
    """Write how the attempts of a chunk ended. Only the last can have failed."""
    accepted = [attempt for attempt in made if not attempt.error]
    for attempt in accepted:
        attempt.delivery.status, attempt.delivery.milliseconds = attempt.status, attempt.milliseconds
    record_delivered([attempt.delivery for attempt in accepted], now=now)
    for attempt in made[len(accepted) :]:
        record_failed(
            attempt.delivery,
            error=attempt.error,
            now=now,
            status=attempt.status,
            milliseconds=attempt.milliseconds,
            retry_after=attempt.retry_after,
        )


def claim_due(*, now: datetime) -> list[WebhookDelivery]:
    """Return the deliveries that this worker alone may send until their lease ends.

    Each person's earliest comes first. An endpoint that failed last gets one event, to test if it answers again.
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
    """Release the events that were claimed and not sent."""
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


def make_message_id(event: OutboundEvent) -> str:
    """Return the id that stays the same for each attempt and each endpoint."""
    return f"evt_{event.uid.hex}"


def make_bodies(deliveries: Sequence[WebhookDelivery]) -> dict[int, bytes]:
    """Return the JSON of each delivery by its id. Addresses are read now, so an erased person has none."""
    ids = {delivery.person for delivery in deliveries if delivery.person is not None}
    addresses = dict(Subscriber.objects.filter(pk__in=ids).values_list("pk", "email"))
    return {delivery.pk: _make_body(delivery.event, addresses) for delivery in deliveries}


def _make_body(event: OutboundEvent, addresses: dict[int, str]) -> bytes:
    person: dict[str, object] = {}
    if event.person is not None:
        person = {"person": {"id": event.person, "email": addresses.get(event.person)}}
    document = {"type": event.kind, "timestamp": event.at, "data": {"origin": event.origin, **person, **event.data}}
    return orjson.dumps(document, option=orjson.OPT_UTC_Z)
