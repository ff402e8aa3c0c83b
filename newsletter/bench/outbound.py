"""Measure webhooks to other systems: recording the facts, and delivering them to a receiver on loopback."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings

from newsletter.bench.errors import NotMeasured
from newsletter.bench.provider import serve_provider
from newsletter.outbound.deliver import deliver_due
from newsletter.outbound.endpoints import add_endpoint
from subscribers.models import ConsentEvent, MailingList, Subscriber, WebhookDelivery
from subscribers.outbound_events import record_person_events

BATCH = 500


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
