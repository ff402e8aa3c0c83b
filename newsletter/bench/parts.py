"""Measure single parts: rendering a variant, and receiving webhooks."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

import orjson
from django.conf import settings

from newsletter.bench.audience import make_approved_issue, make_audience
from newsletter.bench.errors import NotMeasured
from newsletter.bench.sending import database_bytes
from newsletter.bench.serving.clients import make_client
from newsletter.feedback.apply import apply_due_events
from newsletter.feedback.endpoint import webhook_url
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.variants.documents import make_document
from newsletter.issues.visible.choose_visible import ReaderTraits, VisibilityChooser
from newsletter.issues.visible.nearby_events import RecipientLocation
from newsletter.models import Batch, Delivery, IssueRevision
from newsletter.rendering.pipeline import render
from newsletter.sending.freezing.start import start_send

EVENTS_IN_A_BODY = 500


@dataclass(frozen=True)
class CompileFigures:
    """The median time to compile a variant, by the clock and of processor time."""

    variant_kb: float
    compile_ms: float
    compile_processor_ms: float


@dataclass(frozen=True)
class WebhookFigures:
    """The speed of taking and of applying reports. The microseconds are the processor time of this process for one of them."""

    events: int
    taken_per_second: float
    slowest_body_ms: float
    applied_per_second: float
    database_bytes_per_event: float
    taken_processor_us: float
    applied_processor_us: float


def measure_compile(*, times: int = 25) -> CompileFigures:
    """Render a variant of about 40 kB from blocks to HTML and text. The first, slow time counts little in the median."""
    issue = make_approved_issue(make_audience(10, stories=7))
    content = IssueContent.from_json(IssueRevision.objects.get(issue=issue).content)
    where = RecipientLocation(country="GB", region="GB-ENG", latitude=51.51, longitude=-0.13)
    document = make_document(
        content,
        visible=VisibilityChooser(content).choose(ReaderTraits(location=where, giving="none")),
        view_online="https://example.org/view/1",
    )
    took, worked = [], []
    for _ in range(times):
        started, before = time.perf_counter(), time.process_time()
        mail = render(document)
        took.append(time.perf_counter() - started)
        worked.append(time.process_time() - before)
    return CompileFigures(
        variant_kb=round(len(mail.html) / 1000, 1),
        compile_ms=round(median(took) * 1000, 1),
        compile_processor_ms=round(median(worked) * 1000, 1),
    )


def measure_webhooks(*, events: int) -> WebhookFigures:
    """Receive reports in bodies of 500 through the web code, then apply them."""
    settings.NEWSLETTER_PROVIDER_URL = "sparkpost://bench@?webhook_key=bench&endpoint=http://127.0.0.1:9"
    issue = make_approved_issue(make_audience(events))
    send = start_send(issue=issue, now=datetime.now(UTC))
    send.batches.update(state=Batch.State.ACCEPTED)
    path = webhook_url("sparkpost").removeprefix(settings.NEWSLETTER_SITE_URL)
    client, took = make_client(), []
    client.get(path)  # The first request of a process loads all pages.
    before, worked = database_bytes(), 0.0
    for body in _make_bodies(events):
        began = time.process_time()
        started = time.perf_counter()
        answer = client.post(path, body, content_type="application/json", headers={"Authorization": "Bearer bench"})
        if answer.status_code != 200:
            raise NotMeasured("A webhook of the measurement was refused.")
        took.append(time.perf_counter() - started)
        worked += time.process_time() - began
    started, began = time.perf_counter(), time.process_time()
    applied = apply_due_events()
    applied_worked = time.process_time() - began
    return WebhookFigures(
        events=events,
        taken_per_second=round(events / sum(took)),
        slowest_body_ms=round(max(took) * 1000, 1),
        applied_per_second=round(applied / (time.perf_counter() - started)),
        database_bytes_per_event=round((database_bytes() - before) / events),
        taken_processor_us=round(worked / events * 1e6, 1),
        applied_processor_us=round(applied_worked / applied * 1e6, 1),
    )


def _make_bodies(events: int) -> list[bytes]:
    rows = Delivery.objects.order_by("pk").values_list("pk", "batch__key", "subscriber_id")[:events]
    now = int(datetime.now(UTC).timestamp())
    reports = [
        {
            "msys": {
                "message_event": {
                    "type": "delivery",
                    "event_id": f"e{delivery}",
                    "rcpt_to": f"person{subscriber}@example{subscriber % 97}.org",
                    "rcpt_meta": {"delivery": str(delivery), "batch": key},
                    "timestamp": str(now),
                }
            }
        }
        for delivery, key, subscriber in rows
    ]
    return [
        orjson.dumps(reports[start : start + EVENTS_IN_A_BODY]) for start in range(0, len(reports), EVENTS_IN_A_BODY)
    ]
