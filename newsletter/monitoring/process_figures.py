"""Read what the processes wrote about themselves: heartbeats, and jobs that are late or fail."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.models import RunningProcess
from newsletter.monitoring.process_heartbeat import ROLES, SECONDS_BETWEEN

RUNNING_WITHIN = timedelta(seconds=4 * SECONDS_BETWEEN)
LATE_AFTER = timedelta(minutes=2)
INTERVALS_BEFORE_LATE = 3
LONGEST_RUN = timedelta(hours=1)


@dataclass(frozen=True)
class RoleFigures:
    """The processes of one role. ``last_seen`` is None if there never was one, or none for a day."""

    running: int
    last_seen: datetime | None


@dataclass(frozen=True)
class JobFigures:
    """One job over all processes. ``done_at`` is the end of its last run without an error."""

    done_at: datetime | None
    late: bool
    failing: bool


def is_running(process: RunningProcess, *, now: datetime) -> bool:
    """Return True if the process wrote its row in the last minute."""
    return process.seen_at > now - RUNNING_WITHIN


def find_running_versions(*, now: datetime) -> set[str]:
    """Return the versions of the program that run now. During a rolling update there are two."""
    return {process.version for process in RunningProcess.objects.all() if is_running(process, now=now)}


def read_roles(processes: list[RunningProcess], *, now: datetime) -> dict[str, RoleFigures]:
    """Return the figures of each role."""
    figures = {}
    for role in ROLES:
        own = [process for process in processes if getattr(process, role)]
        running = sum(is_running(process, now=now) for process in own)
        figures[role] = RoleFigures(running, max((process.seen_at for process in own), default=None))
    return figures


def read_jobs(processes: list[RunningProcess], *, now: datetime) -> dict[str, JobFigures]:
    """Return the figures of each job. It is late only if it is late in every process that has it."""
    figures: dict[str, JobFigures] = {}
    for process in sorted(processes, key=lambda one: one.seen_at):
        for name, run in process.jobs.items():
            own = _read_job(run, process=process, now=now)
            known = figures.get(name)
            done = [at for at in (own.done_at, known and known.done_at) if at]
            figures[name] = JobFigures(max(done, default=None), own.late and (known is None or known.late), own.failing)
    return figures


def _read_job(run: dict[str, object], *, process: RunningProcess, now: datetime) -> JobFigures:
    done_at, running_since = _read_time(run["done_at"]), _read_time(run["running_since"])
    if running_since is not None and is_running(process, now=now):
        late = running_since < now - LONGEST_RUN
    else:
        wait = max(timedelta(seconds=float(str(run["every"]))) * INTERVALS_BEFORE_LATE, LATE_AFTER)
        late = (done_at or process.started_at) < now - wait
    return JobFigures(done_at, late, bool(run["failed"]))


def _read_time(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None
