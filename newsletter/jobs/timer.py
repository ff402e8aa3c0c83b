"""JobTimer the jobs of the catalogue in this process: APScheduler's clock, its thread pool.

It keeps nothing: what is due is read from rows at each ring, so a lost or doubled call changes nothing.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from django.db import Error, close_old_connections

from newsletter.common.errors import DomainError
from newsletter.jobs.catalogue import Job

log = logging.getLogger(__name__)


class JobTimer:
    """Starts and stops the ringing of some jobs."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = jobs
        self._scheduler: BackgroundScheduler | None = None

    def start(self) -> None:
        if not self._jobs:
            return
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

    def stop(self, *, within: float) -> bool:
        """No further ring; wait so many seconds for what is under way. Returns whether all of it ended."""
        if self._scheduler is None:
            return True
        ending = threading.Thread(target=self._scheduler.shutdown, name="rings-end", daemon=True)
        self._scheduler = None
        ending.start()
        ending.join(within)
        return not ending.is_alive()


def run_job(job: Job) -> None:
    """One ring of one job."""
    run_logged(job.name, job.run)


def run_logged(name: str, run: Callable[[], object]) -> None:
    """Run it with a database connection of its own. What goes wrong is logged in a line; the next ring tries again."""
    close_old_connections()
    try:
        run()
    except (DomainError, Error) as error:
        log.error("%s: %s", name, " ".join(str(error).split()))
    finally:
        close_old_connections()
