"""How long the work of a killed worker lies until another has taken it up: a real SIGKILL in the middle of a send."""

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
IN_HAND = 4


@dataclass(frozen=True)
class RecoveryFigures:
    """``left_behind`` batches were in the killed worker's hands; ``seconds`` until each had been taken up or settled."""

    left_behind: int
    seconds: float


def measure_recovery(*, people: int = 20_000) -> RecoveryFigures:
    """Kills one of two workers. Raises NotMeasured where its batches are not taken up in two minutes."""
    publication = make_audience(people)
    with serve_provider(latency=0.5) as endpoint:
        settings.NEWSLETTER_PROVIDER_URL = f"mailgun://bench@news.example.org?endpoint={endpoint}&max_batch=500"
        issue = make_approved_issue(publication)
        with start_workers(2, lanes=IN_HAND) as (doomed, other):
            send = start_send(issue=issue, now=datetime.now(UTC))
            doomed.begin(send.pk)
            held = _wait_until_in_hand(send)
            doomed.kill()
            killed = time.perf_counter()
            other.begin(send.pk)
            while Batch.objects.filter(pk__in=held, state=Batch.State.SUBMITTING).exists():
                if time.perf_counter() - killed > MAX_SECONDS:
                    raise NotMeasured("What the killed worker held was not taken up.")
                time.sleep(0.1)
            return RecoveryFigures(left_behind=len(held), seconds=round(time.perf_counter() - killed, 1))


def _wait_until_in_hand(send: Send) -> list[int]:
    for _ in range(200):
        held = list(send.batches.filter(state=Batch.State.SUBMITTING).values_list("pk", flat=True))
        if len(held) >= IN_HAND:
            return held
        time.sleep(0.02)
    raise NotMeasured("The worker that was to be killed did not begin.")
