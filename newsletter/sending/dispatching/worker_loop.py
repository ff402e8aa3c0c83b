"""Send what is due until nothing is left to do now. Any number of processes may run it at the same time."""

import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from threading import Lock

from django.db import connection
from django.db.models import Min
from django.db.models.functions import Coalesce
from django.utils import timezone

from newsletter.models import Batch, Send
from newsletter.providers.base.contract import Adapter
from newsletter.sending.dispatching.batch_claim import find_due_batches
from newsletter.sending.dispatching.dispatcher import Clock, Dispatcher
from newsletter.sending.limits.each_send import RowsFailed
from newsletter.sending.limits.running_sends import find_running_sends
from newsletter.sending.settling.sweep import sweep

MAX_SLEEP_SECONDS = 1.0
PROGRESS_SECONDS = 0.25
BATCHES_BETWEEN_SWEEPS = 200
DEFAULT_CONCURRENCY = 8


class BatchQueue:
    """The due batches of one process. Each worker thread asks for the next; each batch is handed out once."""

    def __init__(self, *, clock: Clock, limit: int, stopping: Callable[[], bool], accounts: Collection[str]) -> None:
        self._clock = clock
        self._accounts = accounts
        self._remaining = limit
        self._stopping = stopping
        self._ids: list[int] = []
        self._handed_out: set[int] = set()
        self._lock = Lock()

    def next(self) -> int | None:
        """Return the next batch to try, or None if nothing is due or the limit is reached."""
        with self._lock:
            if self._remaining <= 0 or self._stopping():
                return None
            if not self._ids:
                due = find_due_batches(now=self._clock(), accounts=self._accounts)
                self._ids = [batch for batch in reversed(due) if batch not in self._handed_out]
            if not self._ids:
                return None
            self._remaining -= 1
            batch = self._ids.pop()
            self._handed_out.add(batch)
            return batch


def dispatch_due(
    *,
    dispatcher: Dispatcher,
    concurrency: int = 1,
    limit: int = 100_000,
    stopping: Callable[[], bool] = lambda: False,
    progress: Callable[[], None] = lambda: None,
) -> int:
    """Send the due batches, up to ``limit``, in ``concurrency`` threads. Return how many this call sent.

    Once ``stopping`` returns True, no further batch begins. ``progress`` is called in this thread, at most every 0.25 seconds.
    """
    queue = BatchQueue(clock=dispatcher.clock, limit=limit, stopping=stopping, accounts=dispatcher.accounts)
    if concurrency <= 1:
        return _dispatch_all(queue, dispatcher, progress=progress)
    first = queue.next()
    if first is None:
        return 0
    with ThreadPoolExecutor(max_workers=concurrency, thread_name_prefix="sender") as pool:
        futures = [pool.submit(_dispatch_in_thread, queue, dispatcher) for _ in range(concurrency - 1)]
        sent = int(dispatcher.dispatch(first)) + _dispatch_all(queue, dispatcher, progress=progress)
        return sent + sum(future.result() for future in futures)


def run_send(
    *,
    send: Send,
    adapter: Adapter,
    clock: Clock = timezone.now,
    sleep: Callable[[float], None] = time.sleep,
    progress: Callable[[], None] = lambda: None,
    between_batches: Callable[[], object] = lambda: None,
    stopping: Callable[[], bool] = lambda: False,
    concurrency: int = 1,
) -> Send:
    """Dispatch in this process until the send ends or pauses. Return it. Other workers may send at the same time.

    ``between_batches`` is called between groups of batches. It does other work that the send may wait for. Once ``stopping``
    returns True, no further batch begins, and the send is returned as it is.
    """
    dispatcher = Dispatcher(adapter=adapter, clock=clock)
    while True:
        sent = dispatch_due(
            dispatcher=dispatcher,
            concurrency=concurrency,
            limit=BATCHES_BETWEEN_SWEEPS * concurrency,
            stopping=stopping,
            progress=progress,
        )
        # A send whose content cannot be read stops no other. It is logged, and the job `repair_sends` counts as failed.
        with suppress(RowsFailed):
            sweep(adapter=adapter, clock=clock)
        if not stopping():
            between_batches()
        progress()
        send.refresh_from_db()
        if stopping() or send.state not in (Send.State.PREPARING, Send.State.READY, Send.State.SUBMITTING):
            return send
        if not sent:
            sleep(_find_sleep_seconds(send, now=clock()))


def _dispatch_all(queue: BatchQueue, dispatcher: Dispatcher, *, progress: Callable[[], None] = lambda: None) -> int:
    sent, reported_at = 0, time.monotonic()
    while (batch := queue.next()) is not None:
        sent += dispatcher.dispatch(batch)
        if time.monotonic() - reported_at > PROGRESS_SECONDS:
            progress()
            reported_at = time.monotonic()
    return sent


def _dispatch_in_thread(queue: BatchQueue, dispatcher: Dispatcher) -> int:
    """Work in a new thread and close its database connection at the end."""
    try:
        return _dispatch_all(queue, dispatcher)
    finally:
        connection.close()


def _find_sleep_seconds(send: Send, *, now: datetime) -> float:
    """Return how long to sleep until the next pending batch may be due, in seconds."""
    if not find_running_sends(now=now).filter(pk=send.pk).exists():
        return MAX_SLEEP_SECONDS
    waiting = send.batches.filter(state=Batch.State.PENDING)
    next_at = waiting.aggregate(at=Min(Coalesce("not_before", "due_at")))["at"]
    wait = (next_at - now).total_seconds() if next_at else MAX_SLEEP_SECONDS / 20
    return min(max(wait, 0.01), MAX_SLEEP_SECONDS)
