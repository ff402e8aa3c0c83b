"""Keep one row for this process in the database while it runs, and return the memory that it no longer needs."""

import logging
import threading
from collections.abc import Collection, Mapping
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from itertools import count
from uuid import uuid4

from django.db import Error, close_old_connections, connection

from newsletter.common.database.change_watch import ChangeWatch
from newsletter.models import RunningProcess
from newsletter.models.processes import ROLES, SECONDS_BETWEEN_HEARTBEATS
from newsletter.monitoring.event_loop import TurnWatch, turns
from newsletter.monitoring.job_runs import copy_runs, expect_jobs
from newsletter.monitoring.process_memory import return_free_memory

log = logging.getLogger(__name__)
STOP_SECONDS = 2.0
LOOKS_BEFORE_HANGING = 4  # a minute
FORGET_AFTER = timedelta(days=1)
WRITES_BETWEEN_RETURNS = 4  # a minute


class ProcessHeartbeat:
    """Writes the row in a thread of its own, so that a job that hangs does not look like a process that died.

    If the event loop that serves pages hangs, the row loses the role `web`. If it has no other role, it is not written any more.
    ``changes`` leaves these writes out.
    """

    def __init__(
        self, roles: Collection[str], *, intervals: Mapping[str, float], changes: ChangeWatch | None = None
    ) -> None:
        self._roles = frozenset(roles)
        self._version = version("newsletter")
        self._intervals = intervals
        self._changes = changes
        self._key = uuid4().hex
        self._watch = TurnWatch(turns)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Write the row now and every 15 seconds."""
        expect_jobs(self._intervals)
        self._thread = threading.Thread(target=self._keep_writing, name="process-heartbeat", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Delete the row: a process that was stopped is not missing."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)

    def _keep_writing(self) -> None:
        started_at = datetime.now(UTC)
        try:
            for written in count(1):
                if self._stopping.is_set():
                    break
                self._try(started_at)
                if written % WRITES_BETWEEN_RETURNS == 0:
                    return_free_memory()
                self._stopping.wait(SECONDS_BETWEEN_HEARTBEATS)
            self._delete()
        finally:
            connection.close()

    def _try(self, started_at: datetime) -> None:
        close_old_connections()
        try:
            with self._changes.ignoring(connection) if self._changes else nullcontext():
                self.write(started_at=started_at, now=datetime.now(UTC))
        except Error as error:
            log.debug("The row of this process could not be written: %s", error)

    def write(self, *, started_at: datetime, now: datetime) -> None:
        """Write the row, and delete those of processes that ended long ago without a word."""
        roles = self._roles - {"web"} if self._watch.look() >= LOOKS_BEFORE_HANGING else self._roles
        values = {"version": self._version, "started_at": started_at, "seen_at": now, "jobs": copy_runs()}
        if roles:
            RunningProcess.objects.update_or_create(
                key=self._key, defaults={**{role: role in roles for role in ROLES}, **values}
            )
        RunningProcess.objects.filter(seen_at__lt=now - FORGET_AFTER).delete()

    def _delete(self) -> None:
        try:
            RunningProcess.objects.filter(key=self._key).delete()
        except Error as error:
            log.debug("The row of this process could not be deleted: %s", error)
