"""Measure a whole send, from an approved issue until everything is recorded, and a bare loop with the same bytes."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import orjson
import requests
from django.conf import settings
from django.db import connection

from newsletter.bench.audience import make_approved_issue, make_audience
from newsletter.bench.errors import NotMeasured
from newsletter.bench.provider import serve_provider
from newsletter.bench.workers import WorkerCost, start_workers
from newsletter.models import Batch, Delivery, Issue, Send
from newsletter.providers.base.contract import BatchCall, HttpRequest
from newsletter.providers.base.mail.multipart import build_multipart
from newsletter.providers.mailgun.adapter import Mailgun
from newsletter.sending.build_call import VariantCache, build_call
from newsletter.sending.dispatching.recipients import find_batch_recipients
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.receipt import make_receipt

BATCH = 1000
_REBUILT_CALLS = 20


class BareCall(NamedTuple):
    url: str
    auth: tuple[str, str] | None
    fields: list[tuple[str, str]]
    table: dict[str, dict[str, str]]


@dataclass(frozen=True)
class SendFigures:
    """One send by ``workers`` processes with ``concurrency`` threads each. The field names are keys of the command's JSON.

    ``bare_people_per_second`` is the speed of one process that posts the same bytes from as many threads and records
    nothing. ``ratio`` is that of the whole send to it, ``ratio_without_freeze`` begins when the audience is frozen.
    Memory, in MB, is that of the largest worker: before the send, and at its peak.
    """

    people: int
    latency_ms: int
    workers: int
    concurrency: int
    freeze_seconds: float
    dispatch_seconds: float
    sender_cpu_us_per_person: float
    people_per_second: float
    bare_people_per_second: float
    ratio: float
    ratio_without_freeze: float
    worker_idle_mb: float
    worker_peak_mb: float
    database_mb: float


@dataclass(frozen=True)
class TimedSend:
    """A send from its start until everything is recorded: the seconds of the freeze and of the rest, and each worker's cost."""

    send: Send
    freeze_seconds: float
    dispatch_seconds: float
    costs: list[WorkerCost]

    @property
    def seconds(self) -> float:
        return self.freeze_seconds + self.dispatch_seconds


def time_send(issue: Issue, *, workers: int, concurrency: int) -> TimedSend:
    """Send an issue by so many worker processes, which are ready before it begins."""
    with start_workers(workers, concurrency=concurrency) as processes:
        started = time.perf_counter()
        send = start_send(issue=issue, now=datetime.now(UTC))
        frozen = time.perf_counter()
        for process in processes:
            process.begin(send.pk)
        costs = [process.end() for process in processes]
        ended = time.perf_counter()
    return TimedSend(send, frozen - started, ended - frozen, costs)


def measure_send(*, people: int, latency_ms: int, workers: int, concurrency: int) -> SendFigures:
    """Send to a provider on loopback by so many workers with ``concurrency`` threads each, in the connected database."""
    publication = make_audience(people)
    before = database_bytes()
    with serve_provider(latency=latency_ms / 1000) as endpoint:
        settings.NEWSLETTER_PROVIDER_URL = f"mailgun://bench@news.example.org?endpoint={endpoint}&max_batch={BATCH}"
        issue = make_approved_issue(publication)
        timed = time_send(issue, workers=workers, concurrency=concurrency)
        _require_all_accepted(timed.send, people)
        adapter = Mailgun(key="bench", domain="news.example.org", endpoint=endpoint, max_batch=BATCH)
        bare = _measure_bare(_list_parts(issue, adapter), people=people, concurrency=workers * concurrency)
        adapter.close()
    whole = people / timed.seconds
    return SendFigures(
        people=people,
        latency_ms=latency_ms,
        workers=workers,
        concurrency=concurrency,
        freeze_seconds=round(timed.freeze_seconds, 2),
        dispatch_seconds=round(timed.dispatch_seconds, 2),
        sender_cpu_us_per_person=round(sum(cost.cpu_seconds for cost in timed.costs) / people * 1e6, 1),
        people_per_second=round(whole),
        bare_people_per_second=round(bare),
        ratio=round(whole / bare, 2),
        ratio_without_freeze=round(people / timed.dispatch_seconds / bare, 2),
        worker_idle_mb=max(cost.idle_mb for cost in timed.costs),
        worker_peak_mb=max(cost.peak_mb for cost in timed.costs),
        database_mb=round((database_bytes() - before) / 1e6, 1),
    )


def database_bytes() -> int:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_database_size(current_database())")
        else:
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        return int(cursor.fetchone()[0])


def _require_all_accepted(send: Send, people: int) -> None:
    receipt = make_receipt(send)
    if receipt.deliveries["accepted"] != people or Delivery.objects.count() != people:
        raise NotMeasured(f"The measured send did not reach everybody: {receipt}")


def list_built_calls(issue: Issue) -> Iterator[BatchCall]:
    """Build the first calls of the send again, so that a bare loop can post the same bytes."""
    variants = VariantCache()
    for batch in Batch.objects.select_related("send__issue__publication__mailing_list").order_by("seq")[
        :_REBUILT_CALLS
    ]:
        recipients = find_batch_recipients(batch, issue=issue, now=datetime.now(UTC)).mailable
        yield build_call(
            batch=batch, recipients=recipients, prepared=variants.prepared(batch.variant_id), places=variants.places
        )


def _list_parts(issue: Issue, adapter: Mailgun) -> list[BareCall]:
    """Return the parts of the first calls. The bare loop puts them together for each call, as any sender must."""
    calls = []
    for call in list_built_calls(issue):
        request = adapter.build(call)
        fields = adapter.list_fields(call)
        table = orjson.loads(dict(fields)["recipient-variables"])
        calls.append(
            BareCall(request.url, request.auth, [field for field in fields if field[0] != "recipient-variables"], table)
        )
    return calls


def _measure_bare(calls: list[BareCall], *, people: int, concurrency: int) -> float:
    """Return the people a second of a loop that only posts, with as many threads as the send had."""
    rounds = max(people // BATCH, 1)

    def make(number: int) -> HttpRequest:
        call = calls[number % len(calls)]
        variables = ("recipient-variables", orjson.dumps(call.table).decode())
        parts = [(name, value.encode()) for name, value in [*call.fields, variables]]
        body, content_type = build_multipart(parts, key=str(number))
        return HttpRequest("POST", call.url, {"Content-Type": content_type}, body, call.auth)

    return rounds * BATCH / post_all(make, calls=rounds, concurrency=concurrency)


def post_all(make_request: Callable[[int], HttpRequest], *, calls: int, concurrency: int) -> float:
    """Post the requests for the numbers below ``calls`` and read the answers. Return the seconds that it took."""
    local = threading.local()

    def post(number: int) -> None:
        session = getattr(local, "session", None)
        if session is None:
            session = local.session = requests.Session()
            session.trust_env = False
        request = make_request(number)
        session.post(request.url, data=request.body, headers=request.headers, auth=request.auth, timeout=30).json()

    started = time.perf_counter()
    with ThreadPoolExecutor(max_workers=concurrency) as pool:
        list(pool.map(post, range(calls)))
    return time.perf_counter() - started
