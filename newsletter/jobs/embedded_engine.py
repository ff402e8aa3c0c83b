"""The embedded engine, which runs all jobs in the process that starts it."""

from datetime import UTC, datetime

from django.db import close_old_connections

from newsletter.common.database.change_watch import make_change_watch
from newsletter.jobs.catalogue import ALL_ROLES, WORKER, list_jobs
from newsletter.jobs.shutdown import GRACE_SECONDS, ask_to_stop, clear_stop_request
from newsletter.jobs.timer import JobTimer, make_heartbeat
from newsletter.sending.dispatching.worker_loop import DEFAULT_CONCURRENCY
from newsletter.sending.settling.sweep import prepare_for_work


class EmbeddedEngine:
    """Run the jobs of some roles. ``concurrency`` is the number of concurrent calls to the provider."""

    def __init__(self, *, roles: frozenset[str] = ALL_ROLES, concurrency: int = DEFAULT_CONCURRENCY) -> None:
        self._roles = roles
        jobs = list_jobs(roles, concurrency=concurrency)
        self._changes = make_change_watch()
        self._timer = JobTimer(jobs, changes=self._changes)
        self._heartbeat = make_heartbeat(roles, jobs, changes=self._changes)

    def start(self) -> None:
        """Settle expired leases, then start the jobs."""
        clear_stop_request()
        if WORKER in self._roles:
            prepare_for_work(now=datetime.now(UTC))
            close_old_connections()
        self._heartbeat.start()
        self._timer.start()

    def stop(self) -> bool:
        """Start nothing more and wait for running calls. Return True if all ended in time."""
        ask_to_stop()
        ended = self._timer.stop(within=GRACE_SECONDS)
        self._heartbeat.stop()
        if self._changes is not None:
            self._changes.close()
        return ended
