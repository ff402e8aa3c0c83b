"""Works off what is due until nothing is left to do now. Any number of these may run beside one another."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from django.db.models import Min

from newsletter.models import Batch, Send
from newsletter.providers.contract import Adapter
from newsletter.sending.claim import find_due_batches
from newsletter.sending.dispatch import dispatch_batch
from newsletter.sending.provider import close_outbox
from newsletter.sending.sweep import finish_sends, replay_uncertain, resume_unstarted, settle_lost_leases

LONGEST_NAP = 1.0


def utc_now() -> datetime:
    return datetime.now(UTC)


def dispatch_due(*, adapter: Adapter, clock: Callable[[], datetime] = utc_now, limit: int = 50) -> int:
    """Send the batches that are due at this moment, up to ``limit``. Returns how many this call sent."""
    return sum(
        dispatch_batch(batch_id=batch_id, adapter=adapter, clock=clock) for batch_id in find_due_batches(now=clock(), limit=limit)
    )


def sweep(*, adapter: Adapter, clock: Callable[[], datetime] = utc_now) -> list[Send]:
    """One round of the sweeps. Returns the sends that came to an end in it."""
    resume_unstarted(now=clock())
    settle_lost_leases(now=clock())
    replay_uncertain(capabilities=adapter.capabilities, now=clock())
    finished = finish_sends(now=clock())
    for send in finished:
        close_outbox(send)
    return finished


def run_send(
    *,
    send: Send,
    adapter: Adapter,
    clock: Callable[[], datetime] = utc_now,
    nap: Callable[[float], None] = time.sleep,
    progress: Callable[[], None] = lambda: None,
) -> Send:
    """Dispatch in this process until the send has an end, beside any other worker. Returns the send as it ended."""
    while True:
        sent = dispatch_due(adapter=adapter, clock=clock)
        sweep(adapter=adapter, clock=clock)
        progress()
        send.refresh_from_db()
        if send.state not in (Send.State.PREPARING, Send.State.READY, Send.State.SUBMITTING):
            return send
        if not sent:
            nap(_until_next(send, now=clock()))


def _until_next(send: Send, *, now: datetime) -> float:
    next_at = send.batches.filter(state=Batch.State.PENDING).aggregate(at=Min("not_before"))["at"]
    wait = (next_at - now).total_seconds() if next_at else LONGEST_NAP / 20
    return min(max(wait, 0.01), LONGEST_NAP)
