"""Keeps the leases of the batches that this process works on, so that a slow call is never taken for a lost worker.

It only ever lengthens a lease that is still this claim's own; what was taken away is not taken back.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import Error, connection
from django.db.models import QuerySet

from newsletter.models import Batch
from newsletter.sending.dispatching.statements import holds_lease

log = logging.getLogger(__name__)
LEASE = timedelta(seconds=45)
MAX_LEASE_TIME = timedelta(minutes=5)
RENEW_SECONDS = 10.0


class Lease:
    """One claim's time. ``until`` moves on as long as the claim is ours, and not for ever: a call has an end."""

    def __init__(self, *, batch_id: int, n: int, until: datetime) -> None:
        self.batch_id, self.n, self.until = batch_id, n, until
        self._last = until - LEASE + MAX_LEASE_TIME

    def holds(self, *, now: datetime) -> bool:
        """Whether the batch is still this claim's: by our clock, and by the row, for another machine's clock may differ."""
        return now < self.until and holds_lease(self.batch_id, n=self.n, now=now)

    def renew(self, *, now: datetime) -> bool:
        """Lengthen it in the row and here. Returns False, changing nothing, where it is no longer ours to keep."""
        until = min(now + LEASE, self._last)
        if until <= now:
            return False
        renewed = bool(self._row().update(lease_until=until))
        if renewed:
            self.until = until
        return renewed

    def _row(self) -> QuerySet[Batch]:
        return Batch.objects.filter(pk=self.batch_id, state=Batch.State.SUBMITTING, attempts=self.n)


class LeaseRenewer:
    """Renews what it was given to hold, from a thread that lives only while there is something to hold."""

    def __init__(self, *, clock: Callable[[], datetime], every_seconds: float = RENEW_SECONDS) -> None:
        self._clock = clock
        self._interval = every_seconds
        self._held: set[Lease] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextmanager
    def hold(self, lease: Lease) -> Iterator[Lease]:
        with self._lock:
            self._held.add(lease)
            if self._thread is None:
                self._thread = threading.Thread(target=self._renew_until_idle, name="leases", daemon=True)
                self._thread.start()
        try:
            yield lease
        finally:
            with self._lock:
                self._held.discard(lease)

    def renew(self) -> None:
        """Lengthen all that are held. A database that is away is tried again at the next round."""
        with self._lock:
            held = list(self._held)
        for lease in held:
            try:
                lease.renew(now=self._clock())
            except Error as error:
                log.warning("The lease of batch %s could not be lengthened: %s", lease.batch_id, error)
                connection.close()

    def _renew_until_idle(self) -> None:
        nap = threading.Event()
        while True:
            nap.wait(self._interval)
            with self._lock:
                if not self._held:
                    self._thread = None
                    break
            self.renew()
            # A connection that stays open between rounds would outlive its use and hide a restart of the database.
            connection.close()
