"""The embedded engine: everything rings and works in the process that starts it."""

from datetime import UTC, datetime

from django.db import close_old_connections

from newsletter.jobs.catalogue import ALL_ROLES, WORKER, list_jobs
from newsletter.jobs.shutdown import GRACE_SECONDS, ask_to_stop, clear_stop_request
from newsletter.jobs.timer import JobTimer
from newsletter.sending.dispatching.worker_loop import DEFAULT_CONCURRENCY
from newsletter.sending.settling.sweep import prepare_for_work


class Engine:
    """The roles that this process takes: scheduler, worker, both or none. ``concurrency`` is how many calls go at once."""

    def __init__(self, *, roles: frozenset[str] = ALL_ROLES, concurrency: int = DEFAULT_CONCURRENCY) -> None:
        self._roles = roles
        self._timer = JobTimer(list_jobs(roles, concurrency=concurrency))

    def start(self) -> None:
        """Leases that ran out while nobody was here are settled before any worker starts."""
        clear_stop_request()
        if WORKER in self._roles:
            prepare_for_work(now=datetime.now(UTC))
            close_old_connections()
        self._timer.start()

    def stop(self) -> bool:
        """Begin nothing more and wait for the calls under way. Returns whether all of them ended in time."""
        ask_to_stop()
        return self._timer.stop(within=GRACE_SECONDS)
