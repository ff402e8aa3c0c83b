"""Single figures beside the whole send: a variant compiled, full bodies for each person, and webhooks taken in."""

import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from statistics import median

import orjson
from django.conf import settings
from django.test import Client

from newsletter.bench.audience import make_approved_issue, make_audience
from newsletter.bench.provider import serve_provider
from newsletter.feedback.apply import apply_due_events
from newsletter.feedback.endpoint import webhook_url
from newsletter.issues.documents import make_document, see
from newsletter.issues.near import Where
from newsletter.models import Delivery, Issue, IssueRevision
from newsletter.rendering import render
from newsletter.sending.provider import current_adapter
from newsletter.sending.receipt import make_receipt
from newsletter.sending.run import run_send
from newsletter.sending.start import start_send

FULL_BATCH = 500
EVENTS_IN_A_BODY = 500


@dataclass(frozen=True)
class CompileFigures:
    variant_kb: float
    compile_ms: float


@dataclass(frozen=True)
class FullFigures:
    people: int
    mail_kb: float
    people_per_second: float


@dataclass(frozen=True)
class WebhookFigures:
    events: int
    taken_per_second: float
    slowest_body_ms: float
    applied_per_second: float


def measure_parts(*, people: int) -> dict[str, dict[str, float]]:
    """All of them, in the database that is connected; ``people`` is a multiple of 2,500."""
    publication = make_audience(people)
    with serve_provider(latency=0, each=True) as endpoint:
        settings.NEWSLETTER_PROVIDER_URL = f"postmark://bench@?endpoint={endpoint}&max_batch={FULL_BATCH}"
        issue = make_approved_issue(publication)
        full = measure_full_bodies(issue, people=people)
    webhooks = measure_webhooks(issue, events=min(people, 20_000))
    compiled = measure_compile(IssueRevision.objects.get())
    return {"compile": asdict(compiled), "full_bodies": asdict(full), "webhooks": asdict(webhooks)}


def measure_compile(revision: IssueRevision, *, times: int = 15) -> CompileFigures:
    """A variant from blocks to HTML and text, warm."""
    visible = see(
        revision.content, where=Where(country="GB", region="GB-ENG", latitude=51.51, longitude=-0.13), giving="none"
    )
    document = make_document(revision.content, visible=visible, view_online="https://example.org/view/1")
    took = []
    for _ in range(times):
        started = time.perf_counter()
        mail = render(document)
        took.append(time.perf_counter() - started)
    return CompileFigures(variant_kb=round(len(mail.html) / 1000, 1), compile_ms=round(median(took) * 1000, 1))


def measure_full_bodies(issue: Issue, *, people: int) -> FullFigures:
    """A whole send through a provider that takes one finished mail for each person."""
    started = time.perf_counter()
    send = run_send(send=start_send(issue=issue, now=datetime.now(UTC)), adapter=current_adapter(), lanes=2)
    took = time.perf_counter() - started
    if make_receipt(send).deliveries["accepted"] != people:
        raise RuntimeError(
            f"The bench's send did not reach everybody: {send.reason} {send.batches.values_list('reason')[:1]}"
        )
    size = len(issue.variants.all()[0].html) / 1000
    return FullFigures(people=people, mail_kb=round(size, 1), people_per_second=round(people / took))


def measure_webhooks(issue: Issue, *, events: int) -> WebhookFigures:
    """Reports in bodies of 500, taken in by the web's own code and then applied."""
    settings.NEWSLETTER_PROVIDER_URL = "sparkpost://bench@"
    path = webhook_url("sparkpost").removeprefix(settings.NEWSLETTER_SITE_URL)
    bodies = list(_bodies(events))
    client, took = Client(), []
    for body in bodies:
        started = time.perf_counter()
        if client.post(path, body, content_type="application/json").status_code != 200:
            raise RuntimeError("A webhook of the bench was refused.")
        took.append(time.perf_counter() - started)
    started = time.perf_counter()
    applied = apply_due_events()
    return WebhookFigures(
        events=events,
        taken_per_second=round(events / sum(took)),
        slowest_body_ms=round(max(took) * 1000, 1),
        applied_per_second=round(applied / (time.perf_counter() - started)),
    )


def _bodies(events: int) -> list[bytes]:
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
