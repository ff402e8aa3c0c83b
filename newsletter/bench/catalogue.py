"""The measurements of `newsletter bench`: the functions and options of each part, for a number of people."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.db import connection

from newsletter.bench.audience import make_approved_issue, make_audience
from newsletter.bench.errors import NotMeasured
from newsletter.bench.freezing import measure_freeze
from newsletter.bench.full_bodies import measure_full_bodies
from newsletter.bench.growth import measure_growth
from newsletter.bench.importing import measure_import
from newsletter.bench.parts import measure_compile, measure_webhooks
from newsletter.bench.provider import serve_provider
from newsletter.bench.segments import measure_segments
from newsletter.bench.sending import measure_send
from newsletter.bench.serving.api import measure_api
from newsletter.bench.serving.memory import measure_memory
from newsletter.bench.serving.pages import measure_pages
from newsletter.bench.serving.people_search import measure_people_search
from newsletter.bench.serving.preview import measure_preview
from newsletter.bench.serving.process_tree import can_read_processes
from newsletter.bench.serving.starting import measure_start
from newsletter.bench.serving.unsubscribing import measure_unsubscribing
from newsletter.bench.workers import start_workers
from newsletter.models import Batch, Send
from newsletter.outbound.deliver import deliver_due
from newsletter.outbound.endpoints import add_endpoint
from newsletter.sending.freezing.start import start_send
from subscribers.models import ConsentEvent, MailingList, Subscriber, WebhookDelivery
from subscribers.outbound_events import record_person_events

Run = tuple[Callable[..., object], dict[str, int]]

INSTANT_CALLS = 2  # at once, of each worker
SLOW_PROVIDER_MS = 150
SLOW_CALLS = (8, 16)  # at once, of all workers
MAX_FULL_BODIES = 50_000
FULL_BATCHES = (500, 50)  # people in a call
MAX_GROWTH = 20_000
MAX_WEBHOOKS = 20_000
MAX_UNSUBSCRIBES = 5_000
FIRST_RUNS_SECONDS = 75
IDLE_SECONDS = 60
TOPICS_LANGUAGES_ZONES_AND_LIMIT = ((0, 0, 0, 0), (12, 0, 0, 0), (12, 8, 24, 0), (0, 0, 0, 3))
BATCH = 500
MAX_SECONDS = 120
HELD_BATCHES = 4
IN_OTHER_PARTS = frozenset({"instant_sends"})
"""The parts that measure what another part measures too."""


def _sends(people: int) -> list[Run]:
    """Return the sends to a provider that answers at once, and to a slow one. On PostgreSQL, two workers share the work."""
    workers = 2 if connection.vendor == "postgresql" else 1
    calls_of_each = [(0, INSTANT_CALLS), *((SLOW_PROVIDER_MS, calls // workers) for calls in SLOW_CALLS)]
    return [
        (measure_send, {"people": people, "latency_ms": latency, "workers": workers, "concurrency": calls})
        for latency, calls in calls_of_each
    ]


MEASUREMENTS: dict[str, Callable[[int], list[Run]]] = {
    "sends": _sends,
    "instant_sends": lambda people: _sends(people)[:1],
    "freeze": lambda people: [
        (
            measure_freeze,
            {"people": people, "topics": topics, "languages": languages, "zones": zones, "limit": limit},
        )
        for topics, languages, zones, limit in TOPICS_LANGUAGES_ZONES_AND_LIMIT
    ],
    "full_bodies": lambda people: [
        (measure_full_bodies, {"people": min(people, MAX_FULL_BODIES), "batch": batch}) for batch in FULL_BATCHES
    ],
    "growth": lambda people: [(measure_growth, {"people": min(people, MAX_GROWTH)})],
    "compile": lambda people: [(measure_compile, {})],
    "webhooks": lambda people: [(measure_webhooks, {"events": min(people, MAX_WEBHOOKS)})],
    "outbound": lambda people: [(measure_outbound, {"events": min(people, MAX_WEBHOOKS)})],
    "recovery": lambda people: [(measure_recovery, {})],
    "import": lambda people: [(measure_import, {"rows": people})],
    "segments": lambda people: [(measure_segments, {"people": people})],
    "people_search": lambda people: [(measure_people_search, {"people": people})],
    "unsubscribing": lambda people: [(measure_unsubscribing, {"people": min(people, MAX_UNSUBSCRIBES)})],
    "api": lambda people: [(measure_api, {"people": people})],
    "preview": lambda people: [(measure_preview, {})],
    "pages": lambda people: [(measure_pages, {"people": people})],
    "start": lambda people: [(measure_start, {})],
    "memory": lambda people: [
        (measure_memory, {"first_runs_seconds": FIRST_RUNS_SECONDS, "idle_seconds": IDLE_SECONDS})
    ],
}


def find_unmeasurable() -> set[str]:
    """Return the parts that this system cannot measure: the memory of processes, if it is not Linux."""
    return set() if can_read_processes() else {"memory"}


@dataclass(frozen=True)
class OutboundFigures:
    events: int
    recorded_per_second: int
    delivered_per_second: int


def measure_outbound(*, events: int) -> OutboundFigures:
    """Report one change of each person to one endpoint."""
    settings.NEWSLETTER_FETCH_ALLOW = ["127.0.0.1"]
    now = datetime.now(UTC)
    weekly = MailingList.objects.create(slug="bench", name="Bench")
    people = Subscriber.objects.bulk_create(
        Subscriber(email=f"person{number}@example.org", address_hash=number.to_bytes(32, "big"), created_at=now)
        for number in range(events)
    )
    with serve_provider(latency=0) as url:
        add_endpoint(name="Bench", url=f"{url}/hooks", kinds=[], by="bench", now=now)
        started = time.perf_counter()
        for start in range(0, events, BATCH):
            record_person_events(
                [
                    ConsentEvent(subscriber=person, mailing_list=weekly, kind=ConsentEvent.Kind.LEFT, at=now)
                    for person in people[start : start + BATCH]
                ]
            )
        recorded = time.perf_counter() - started
        started = time.perf_counter()
        while deliver_due(clock=lambda: datetime.now(UTC)):
            pass
        delivered = time.perf_counter() - started
    if WebhookDelivery.objects.exclude(state=WebhookDelivery.State.DELIVERED).exists():
        raise NotMeasured("Not every webhook of the measurement was delivered.")
    return OutboundFigures(events, round(events / recorded), round(events / delivered))


@dataclass(frozen=True)
class RecoveryFigures:
    """``left_behind`` is the number of batches that the killed worker held; ``seconds`` is until all were taken over."""

    left_behind: int
    seconds: float


def measure_recovery(*, people: int = 20_000) -> RecoveryFigures:
    """Kill one of two workers. Raise NotMeasured if its batches are not taken over in two minutes."""
    publication = make_audience(people)
    with serve_provider(latency=0.5) as endpoint:
        settings.NEWSLETTER_PROVIDER_URL = f"mailgun://bench@news.example.org?endpoint={endpoint}&max_batch=500"
        issue = make_approved_issue(publication)
        with start_workers(2, concurrency=HELD_BATCHES) as (doomed, other):
            send = start_send(issue=issue, now=datetime.now(UTC))
            doomed.begin(send.pk)
            held = _wait_for_held_batches(send)
            doomed.kill()
            killed = time.perf_counter()
            other.begin(send.pk)
            while Batch.objects.filter(pk__in=held, state=Batch.State.SUBMITTING).exists():
                if time.perf_counter() - killed > MAX_SECONDS:
                    raise NotMeasured("The batches of the killed worker were not taken over.")
                time.sleep(0.1)
            return RecoveryFigures(left_behind=len(held), seconds=round(time.perf_counter() - killed, 1))


def _wait_for_held_batches(send: Send) -> list[int]:
    for _ in range(200):
        held = list(send.batches.filter(state=Batch.State.SUBMITTING).values_list("pk", flat=True))
        if len(held) >= HELD_BATCHES:
            return held
        time.sleep(0.02)
    raise NotMeasured("The worker to be killed did not start a call.")
