"""Skip the runs of a job while the database is unchanged since its last run, which found nothing more to do."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic, time
from typing import NamedTuple

from newsletter.common.database.change_watch import ChangeWatch, watching
from newsletter.jobs.catalogue import Job
from newsletter.monitoring.job_runs import note_rest

MAX_CLOCK_STEP_SECONDS = 2.0
"""A job does not rest after the wall clock moved further than this against the monotonic clock: its times may have come."""


class _Run(NamedTuple):
    """A run of a job: the number of the database before it, and its start on both clocks."""

    number: int
    started: float
    started_at: float


class RestingJobs:
    """Knows which jobs may rest. A job that failed, or that waits for a time to come, does not rest.

    Rests are measured on the monotonic ``clock``, times to come on the ``wall_clock``. Only the wall clock moves if somebody
    sets it, or if the machine was suspended.
    """

    def __init__(
        self,
        changes: ChangeWatch | None,
        *,
        clock: Callable[[], float] = monotonic,
        wall_clock: Callable[[], float] = time,
    ) -> None:
        self._changes = changes
        self._clock = clock
        self._wall_clock = wall_clock
        self._last: dict[str, _Run] = {}

    def may_rest(self, job: Job) -> bool:
        """Return True if nothing was written since the job's last run, and its next turn comes within `rest_seconds` of that."""
        last = self._last.get(job.name)
        if self._changes is None or last is None:
            return False
        seconds = self._clock() - last.started
        if seconds + job.every_seconds > job.rest_seconds:
            return False
        if abs(self._wall_clock() - last.started_at - seconds) > MAX_CLOCK_STEP_SECONDS:
            return False
        return self._changes.read() == last.number

    def note_rest(self, job: Job) -> None:
        """Note for the metrics that the job has nothing to do."""
        note_rest(job.name, now=datetime.now(UTC))

    def watch(self, job: Job) -> Job:
        """Return the job so that its runs are noted here."""
        return replace(job, run=lambda: self._run(job))

    def _run(self, job: Job) -> None:
        self._last.pop(job.name, None)
        # Read before the run: rows that are written during the run may be too late for it.
        number = self._changes.read() if self._changes else None
        started, started_at = self._clock(), self._wall_clock()
        with watching(self._changes):
            job.run()
        if number is not None and not job.waits_for_time():
            self._last[job.name] = _Run(number, started, started_at)
