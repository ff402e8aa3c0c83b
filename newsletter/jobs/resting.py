"""Let a job rest while the database stays as it was after the job's last run, which then found nothing more to do."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic

from newsletter.common.database.change_watch import ChangeWatch
from newsletter.jobs.catalogue import Job
from newsletter.monitoring.job_runs import note_rest


class RestingJobs:
    """Knows which jobs may rest. A job that failed, or that waits for a time to come, does not rest."""

    def __init__(self, changes: ChangeWatch | None, *, clock: Callable[[], float] = monotonic) -> None:
        self._changes = changes
        self._clock = clock
        self._last: dict[str, tuple[int, float]] = {}

    def may_rest(self, job: Job) -> bool:
        """Return True if nothing was written since the job's last run, and its next turn comes within `rest_seconds` of that."""
        last = self._last.get(job.name)
        if self._changes is None or last is None:
            return False
        if self._clock() - last[1] + job.every_seconds > job.rest_seconds:
            return False
        return self._changes.read() == last[0]

    def note_rest(self, job: Job) -> None:
        """Note for the metrics that the job has nothing to do."""
        note_rest(job.name, now=datetime.now(UTC))

    def watch(self, job: Job) -> Job:
        """Return the job so that its runs are noted here."""
        return replace(job, run=lambda: self._run(job))

    def _run(self, job: Job) -> None:
        self._last.pop(job.name, None)
        # Before the run: what is written during it may have come too late for it.
        number, started = self._changes.read() if self._changes else None, self._clock()
        job.run()
        if number is not None and not job.waits_for_time():
            self._last[job.name] = number, started
