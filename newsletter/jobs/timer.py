"""Run the catalogue's jobs at their intervals in this process, on APScheduler's clock.

Jobs find due work in the database, so a lost or doubled run changes nothing.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from datetime import UTC, datetime
from functools import partial
from typing import Any, ParamSpec, TypeVar

from apscheduler.executors.pool import BasePoolExecutor
from apscheduler.job import Job as TimedJob
from apscheduler.schedulers.background import BackgroundScheduler
from django.db import Error, close_old_connections

from newsletter.common.database.change_watch import ChangeWatch
from newsletter.common.errors import DomainError
from newsletter.common.thread_pool import LastUsedFirstExecutor
from newsletter.jobs.catalogue import Job
from newsletter.jobs.resting import RestingJobs
from newsletter.monitoring.job_runs import note_end, note_start
from newsletter.monitoring.logs.context import working_on
from newsletter.monitoring.process_heartbeat import ProcessHeartbeat
from newsletter.sending.limits.each_send import LoggedError

log = logging.getLogger(__name__)
SECONDS_FOR_EACH = 0.02
"""So long at most, for each job before it, does a job wait for others that are due at the same time."""
P = ParamSpec("P")
T = TypeVar("T")


class _Threads(LastUsedFirstExecutor):
    """Remembers the work that was handed over last."""

    last: Future[Any] | None = None

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        submitted = super().submit(fn, *args, **kwargs)
        self.last = submitted
        return submitted


class JobThreads(BasePoolExecutor):
    """APScheduler's executor on threads of which few do most of the work. All jobs can run at once.

    A job that may rest is not handed to a thread. Jobs that are due together run one after the other, so one thread with one
    database connection runs many of them. Nobody waits long for a job that has much to do.
    """

    def __init__(self, jobs: Sequence[Job], resting: RestingJobs) -> None:
        self._threads = _Threads(len(jobs))
        super().__init__(self._threads)
        self._jobs = {job.name: job for job in jobs}
        self._resting = resting
        self._due: datetime | None = None
        self._seconds_left = 0.0

    def submit_job(self, job: TimedJob, run_times: list[datetime]) -> None:
        due = self._jobs[job.id]
        if self._resting.may_rest(due):
            self._resting.note_rest(due)
            return
        super().submit_job(job, run_times)
        self._wait_for_end(run_times[-1])

    def _wait_for_end(self, due: datetime) -> None:
        """Wait until the job has ended, but no longer than the time that is left for the jobs of this tick."""
        if due != self._due:
            self._due, self._seconds_left = due, 0.0
        self._seconds_left += SECONDS_FOR_EACH
        started = time.monotonic()
        if self._threads.last is not None:
            wait([self._threads.last], timeout=self._seconds_left)
        self._seconds_left = max(self._seconds_left - (time.monotonic() - started), 0.0)


class JobTimer:
    """Starts and stops the timers of some jobs. With ``changes``, jobs rest while nothing is written to the database."""

    def __init__(self, jobs: Sequence[Job], *, changes: ChangeWatch | None = None) -> None:
        self._jobs = jobs
        self._resting = RestingJobs(changes)
        self._scheduler: BackgroundScheduler | None = None

    def start(self) -> None:
        """Run each job within a second, in their order, and again after each interval.

        All start at the same time, so those of one interval are due together and the clock wakes once for all of them.
        """
        if not self._jobs:
            return
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": JobThreads(self._jobs, self._resting)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        now = datetime.now(UTC)
        for job in self._jobs:
            self._scheduler.add_job(
                partial(run_job, self._resting.watch(job)),
                "interval",
                seconds=job.every_seconds,
                id=job.name,
                next_run_time=now,
            )
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._scheduler.start()

    def stop(self, *, within: float) -> bool:
        """Start no further run and wait ``within`` seconds for running ones. Return True if all ended."""
        if self._scheduler is None:
            return True
        ending = threading.Thread(target=self._scheduler.shutdown, name="job-timer-end", daemon=True)
        self._scheduler = None
        ending.start()
        ending.join(within)
        return not ending.is_alive()


def make_heartbeat(
    roles: frozenset[str], jobs: Sequence[Job], *, changes: ChangeWatch | None = None
) -> ProcessHeartbeat:
    """Return the heartbeat of a process with these roles, which is to run these jobs. No job runs because of it."""
    return ProcessHeartbeat(roles, intervals={job.name: job.every_seconds for job in jobs}, changes=changes)


def run_job(job: Job) -> None:
    """Run one job once, and note the run for the metrics."""
    note_start(job.name, every=job.every_seconds, now=datetime.now(UTC))
    done = False
    try:
        done = run_logged(job.name, job.run)
    finally:
        note_end(job.name, failed=not done, now=datetime.now(UTC))


def run_logged(name: str, run: Callable[[], object]) -> bool:
    """Call ``run`` with its own database connection. Return False after an error, which is logged as one line.

    A LoggedError is not logged again.
    """
    close_old_connections()
    with working_on(job=name):
        try:
            run()
        except LoggedError:
            return False
        except (DomainError, Error) as error:
            log.error("%s: %s", name, " ".join(str(error).split()))
            return False
        finally:
            close_old_connections()
    return True
