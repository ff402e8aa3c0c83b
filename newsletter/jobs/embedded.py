"""The embedded engine: everything rings and works in the process that starts it."""

from datetime import UTC, datetime

from django.db import close_old_connections

from newsletter.jobs.catalogue import EVERYTHING, WORKER, jobs_of
from newsletter.jobs.stopping import GRACE_SECONDS, ask_to_stop, begin_again
from newsletter.jobs.timer import Rings
from newsletter.sending.dispatching.worker_loop import LANES
from newsletter.sending.settling.sweep import wake_up


class Engine:
    """The roles that this process takes: scheduler, worker, both or none. ``lanes`` is how many calls go at once."""

    def __init__(self, *, roles: frozenset[str] = EVERYTHING, lanes: int = LANES) -> None:
        self._roles = roles
        self._rings = Rings(jobs_of(roles, lanes=lanes))

    def start(self) -> None:
        """Leases that ran out while nobody was here are settled before any worker starts."""
        begin_again()
        if WORKER in self._roles:
            wake_up(now=datetime.now(UTC))
            close_old_connections()
        self._rings.start()

    def stop(self) -> bool:
        """Begin nothing more and wait for the calls under way. Returns whether all of them ended in time."""
        ask_to_stop()
        return self._rings.stop(within=GRACE_SECONDS)
