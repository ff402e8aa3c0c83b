"""Measure a send through a provider that takes one finished mail for each person, and a bare loop with the same bodies."""

from dataclasses import dataclass

from django.conf import settings

from newsletter.bench.audience import make_approved_issue, make_audience
from newsletter.bench.errors import NotMeasured
from newsletter.bench.provider import serve_provider
from newsletter.bench.sending import list_built_calls, post_all, time_send
from newsletter.models import Send
from newsletter.providers.postmark.adapter import Postmark
from newsletter.sending.settling.receipt import make_receipt

WORKERS = 1
CONCURRENCY = 2


@dataclass(frozen=True)
class FullFigures:
    """One send with ``batch`` people in a call. ``mail_kb`` is the HTML of one mail, ``body_kb`` the bytes for one person.

    ``people_per_second`` is from approval until everything is recorded; ``people_per_second_without_freeze`` begins when
    the audience is frozen. The bare loop posts the same bodies from as many threads, and builds and records nothing.
    """

    people: int
    batch: int
    workers: int
    concurrency: int
    mail_kb: float
    body_kb: float
    freeze_seconds: float
    sender_cpu_us_per_person: float
    people_per_second: int
    people_per_second_without_freeze: int
    bare_people_per_second: int
    ratio: float
    ratio_without_freeze: float


def measure_full_bodies(*, people: int, batch: int) -> FullFigures:
    """Send to an instant provider. Raise NotMeasured if anybody did not get the mail."""
    publication = make_audience(people, stories=14)
    with serve_provider(latency=0, each=True) as endpoint:
        settings.NEWSLETTER_PROVIDER_URL = f"postmark://bench@?endpoint={endpoint}&max_batch={batch}"
        issue = make_approved_issue(publication)
        timed = time_send(issue, workers=WORKERS, concurrency=CONCURRENCY)
        _require_all_accepted(timed.send, people)
        adapter = Postmark(key="bench", endpoint=endpoint, max_batch=batch)
        requests = [adapter.build(call) for call in list_built_calls(issue)]
        adapter.close()
        calls = -(-people // batch)
        bare = people / post_all(lambda number: requests[number % len(requests)], calls=calls, concurrency=CONCURRENCY)
    whole, dispatched = people / timed.seconds, people / timed.dispatch_seconds
    return FullFigures(
        people=people,
        batch=batch,
        workers=WORKERS,
        concurrency=CONCURRENCY,
        mail_kb=round(len(issue.variants.all()[0].html) / 1000, 1),
        body_kb=round(len(requests[0].body) / batch / 1000, 1),
        freeze_seconds=round(timed.freeze_seconds, 2),
        sender_cpu_us_per_person=round(sum(cost.cpu_seconds for cost in timed.costs) / people * 1e6, 1),
        people_per_second=round(whole),
        people_per_second_without_freeze=round(dispatched),
        bare_people_per_second=round(bare),
        ratio=round(whole / bare, 2),
        ratio_without_freeze=round(dispatched / bare, 2),
    )


def _require_all_accepted(send: Send, people: int) -> None:
    send.refresh_from_db()
    if make_receipt(send).deliveries["accepted"] != people:
        reasons = ", ".join(set(send.batches.values_list("reason", flat=True)))
        raise NotMeasured(f"The measured send did not reach everybody: {send.reason} {reasons}")
