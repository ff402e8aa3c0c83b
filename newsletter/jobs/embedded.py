"""The embedded engine: APScheduler rings, its thread pool works, in the process that starts it.

It keeps nothing: what is due is read from rows at each ring, so a lost or doubled call changes nothing.
"""

import logging
import signal
import threading
from datetime import UTC, datetime
from functools import partial

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from django.db import DatabaseError, close_old_connections

from newsletter.jobs.catalogue import JOBS, Job
from newsletter.sending.sweep import settle_lost_leases
from subscribers.errors import DomainError

log = logging.getLogger(__name__)


class Engine:
    """Rings the jobs of the catalogue. ``only`` names some of them; all otherwise."""

    def __init__(self, *, only: frozenset[str] | None = None) -> None:
        self._jobs = [job for job in JOBS if only is None or job.name in only]
        self._scheduler: BackgroundScheduler | None = None

    def start(self) -> None:
        """Leases that ran out while nobody was here are settled before any worker starts."""
        if not self._jobs:
            return
        settle_lost_leases(now=datetime.now(UTC))
        close_old_connections()
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(max_workers=len(self._jobs))},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        for job in self._jobs:
            self._scheduler.add_job(
                partial(run_job, job),
                "interval",
                seconds=job.every_seconds,
                id=job.name,
                next_run_time=datetime.now(UTC),
            )
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._scheduler.start()

    def stop(self) -> None:
        """Waits for the calls that are under way."""
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=True)
            self._scheduler = None

    def run_until_stopped(self) -> None:
        """Ring until SIGTERM or SIGINT, then finish what is under way."""
        stopped = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda number, frame: stopped.set())
        self.start()
        stopped.wait()
        self.stop()


def run_job(job: Job) -> None:
    """One ring of one job, with its own database connection. What goes wrong is logged; the next ring tries again."""
    close_old_connections()
    try:
        job.run()
    except (DomainError, DatabaseError) as error:
        log.error("%s: %s", job.name, error)
    finally:
        close_old_connections()
