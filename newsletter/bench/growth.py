"""Measure how much a year of weekly issues makes the database grow, with the rows of old sends deleted as always."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.db import connection

from newsletter.bench.audience import make_audience
from newsletter.bench.errors import NotMeasured
from newsletter.bench.provider import serve_provider
from newsletter.bench.sending import BATCH, database_bytes
from newsletter.issues.approval.approve import approve_by_policy
from newsletter.issues.assembly.assemble import assemble_slot
from newsletter.issues.assembly.slots import get_or_create_slot
from newsletter.models import Publication, Send, Story
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.worker_loop import run_send
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.retention import RETENTION, delete_old_deliveries

WEEKS = 52
CONCURRENCY = 2
_QUARTER = 13


@dataclass(frozen=True)
class GrowthFigures:
    """``megabytes_after`` is the growth since before the first issue, by the number of issues.

    ``bytes_per_recipient`` is the growth by one issue for each person, while the rows of all issues are kept.
    """

    people: int
    issues: int
    bytes_per_recipient: int
    megabytes_after: dict[int, float]


def measure_growth(*, people: int) -> GrowthFigures:
    """Send an issue each week of a year to an instant provider, on the day on which it is due by its schedule."""
    publication = make_audience(people)
    issues_kept = RETENTION.days // 7
    with serve_provider(latency=0) as endpoint:
        settings.NEWSLETTER_PROVIDER_URL = f"mailgun://bench@news.example.org?endpoint={endpoint}&max_batch={BATCH}"
        before = database_bytes()
        grown = [_send_issue(publication, number=number) - before for number in range(1, WEEKS + 1)]
    return GrowthFigures(
        people=people,
        issues=WEEKS,
        bytes_per_recipient=round(grown[issues_kept - 1] / issues_kept / people),
        megabytes_after={
            number: round(grown[number - 1] / 1e6, 1) for number in (1, *range(_QUARTER, WEEKS + 1, _QUARTER))
        },
    )


def _send_issue(publication: Publication, *, number: int) -> int:
    """Send one issue with a story of its own, delete the rows that are old by then, and return the size of the database."""
    last = publication.slots.order_by("due_at").last()
    now = last.due_at if last else datetime.now(UTC)
    Story.objects.create(
        external_id=f"desk:week-{number}",
        url=f"https://example.org/week/{number}/",
        title=f"What happened in week {number}",
        teaser="A sentence about what happened, and another that says what it means. " * 2,
        language="en",
        published_at=now,
        seen_at=now,
    )
    slot = get_or_create_slot(publication=publication, due="", now=now)
    issue = assemble_slot(slot=slot, now=now).issue
    if issue is None:
        raise NotMeasured(f"Issue {number} of the measurement was not assembled. The log says why.")
    approve_by_policy(issue=issue, now=now)
    due_at = slot.due_at
    send = start_send(issue=issue, now=due_at)
    run_send(send=send, adapter=current_adapter(), clock=lambda: due_at, concurrency=CONCURRENCY)
    if send.state != Send.State.SUBMITTED:
        raise NotMeasured(f"Issue {number} of the measurement was not sent to everybody: {send.reason}")
    while delete_old_deliveries(now=due_at):
        pass
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM")  # Autovacuum does it in its own time, and the measurement does not wait for it.
    return database_bytes()
