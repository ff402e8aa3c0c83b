"""Measure how long another worker needs to take over from a worker that is killed in the middle of a send."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings

from newsletter.bench.audience import make_approved_issue, make_audience
from newsletter.bench.errors import NotMeasured
from newsletter.bench.provider import serve_provider
from newsletter.bench.workers import start_workers
from newsletter.models import Batch, Send
from newsletter.sending.freezing.start import start_send

MAX_SECONDS = 120
HELD_BATCHES = 4


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
