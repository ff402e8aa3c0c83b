"""Renew the leases of the batches that this process works on, so that a slow call does not look like a lost worker.

Only a lease that still belongs to the same attempt is renewed.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import Error, connection
from django.db.models import QuerySet

from newsletter.models import Batch
from newsletter.sending.dispatching.batch_rows import read_batch

log = logging.getLogger(__name__)
LEASE = timedelta(seconds=45)
MAX_LEASE_TIME = timedelta(minutes=5)
RENEW_SECONDS = 10.0


class Lease:
    """The lease of one attempt. Each renewal extends ``until``, up to MAX_LEASE_TIME after the claim."""

    def __init__(self, *, batch_id: int, attempt_number: int, until: datetime) -> None:
        self.batch_id, self.attempt_number, self.until = batch_id, attempt_number, until
        self._last = until - LEASE + MAX_LEASE_TIME

    def holds(self, *, now: datetime) -> bool:
        """Return True if the lease is valid by our clock and, because clocks differ, by the row."""
        if now >= self.until:
            return False
        row = read_batch(self.batch_id)
        if row is None or row.lease_until is None:
            return False
        is_ours = row.state == Batch.State.SUBMITTING and row.attempt_number == self.attempt_number
        return is_ours and row.lease_until > now

    def renew(self, *, now: datetime) -> bool:
        """Extend the lease. Return False and change nothing if the batch has a newer attempt or the limit is reached."""
        until = min(now + LEASE, self._last)
        if until <= now:
            return False
        renewed = bool(self._row().update(lease_until=until))
        if renewed:
            self.until = until
        return renewed

    def _row(self) -> QuerySet[Batch]:
        return Batch.objects.filter(pk=self.batch_id, state=Batch.State.SUBMITTING, attempt_number=self.attempt_number)


class LeaseRenewer:
    """Renew the held leases in a thread, which runs only while there are any."""

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
        """Extend all leases. After a database error the next round tries again."""
        with self._lock:
            held = list(self._held)
        for lease in held:
            try:
                lease.renew(now=self._clock())
            except Error as error:
                log.warning(
                    "The lease of batch %s could not be renewed; the next round tries again: %s", lease.batch_id, error
                )
                connection.close()

    def _renew_until_idle(self) -> None:
        pause = threading.Event()
        while True:
            pause.wait(self._interval)
            with self._lock:
                if not self._held:
                    self._thread = None
                    break
            self.renew()
            # An open connection between rounds would hide a restart of the database.
            connection.close()
