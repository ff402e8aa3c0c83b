"""Read what the processes wrote about themselves: heartbeats, and jobs that are late or fail. Report which are missing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version

from django.db import Error

from newsletter.models import RunningProcess
from newsletter.models.processes import ROLES, RUNNING_WITHIN
from newsletter.sending.deliverability.findings import Finding, ok, warning

LATE_AFTER = timedelta(minutes=2)
INTERVALS_BEFORE_LATE = 3
LONGEST_RUN = timedelta(hours=1)
_MISSING = {
    "web": "No web process is known to run. Without one, no page opens, so nobody can sign up or unsubscribe.",
    "scheduler": "No scheduler runs: no source is read, no issue is assembled and no send begins.",
    "worker": "No worker runs: nothing is sent, neither issues nor confirmations.",
}
_START = "Start newsletter serve (with systemd: sudo systemctl start newsletter)"
_OWN_SERVER = "A WSGI server of your own reports from its first request on."


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
    """Return True if the process wrote its row in the last minute. A time far ahead is of a clock that was wrong."""
    return now - RUNNING_WITHIN < process.seen_at < now + RUNNING_WITHIN


def find_running_versions(*, now: datetime) -> set[str]:
    """Return the versions of the program that run now. During a rolling update there are two."""
    return set(RunningProcess.objects.running(now=now).values_list("version", flat=True))


def read_roles(processes: list[RunningProcess], *, now: datetime) -> dict[str, RoleFigures]:
    """Return the figures of each role."""
    figures = {}
    for role in ROLES:
        in_role = [process for process in processes if getattr(process, role)]
        running = sum(is_running(process, now=now) for process in in_role)
        seen = [process.seen_at for process in in_role if process.seen_at < now + RUNNING_WITHIN]
        figures[role] = RoleFigures(running, max(seen, default=None))
    return figures


def read_jobs(processes: list[RunningProcess], *, now: datetime) -> dict[str, JobFigures]:
    """Return the figures of each job. It is late only if it is late in every process that has it."""
    figures: dict[str, JobFigures] = {}
    for process in sorted(processes, key=lambda earlier: earlier.seen_at):
        for name, run in process.jobs.items():
            figures_of_process = _read_job(run, process=process, now=now)
            figure = figures.get(name)
            done = [at for at in (figures_of_process.done_at, figure and figure.done_at) if at]
            figures[name] = JobFigures(
                max(done, default=None),
                figures_of_process.late and (figure is None or figure.late),
                figures_of_process.failing,
            )
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


def check_processes(*, now: datetime) -> Iterator[Finding]:
    """Report each running process, each role that none has, and other versions. Without a database, report nothing."""
    try:
        processes = list(RunningProcess.objects.order_by("started_at"))
    except Error:
        return  # the check of the database says what to do
    yield from _check_clocks(processes, now=now)
    running = [process for process in processes if is_running(process, now=now)]
    if not running:
        text = "No process runs: no page opens, no issue is assembled and nothing is sent."
        do = f"{_START}. On several machines, start web, scheduler and worker."
        yield warning("processes", text, f"{do} {_OWN_SERVER}")
        return
    for process in running:
        yield ok("process", _describe(process, now=now))
    for role, figures in read_roles(processes, now=now).items():
        if not figures.running:
            text = _MISSING[role]
            do = f"{_START}, or newsletter {role}."
            if figures.last_seen:
                text = f"{text} The last one wrote to the database on {figures.last_seen:%Y-%m-%d %H:%M} UTC."
                do = f"Read the end of its log. {do}"
            if role == "web":
                do = f"{do} Restart one that hangs. {_OWN_SERVER}"
            yield warning("processes", text, do)
    own_version, versions = version("newsletter"), {process.version for process in running}
    if versions != {own_version}:
        text = (
            f"Running processes are of version {', '.join(sorted(versions))}; this command is of version {own_version}."
        )
        yield warning(
            "processes", text, f"Install {own_version} on each machine and restart each process of another version."
        )


def _check_clocks(processes: list[RunningProcess], *, now: datetime) -> Iterator[Finding]:
    """Report the newest time that is still to come: a process wrote it by a clock that is ahead of this one, or that was."""
    newest = max((process.seen_at for process in processes), default=now)
    if newest >= now + RUNNING_WITHIN:
        text = (
            f"A process wrote to the database at {newest:%Y-%m-%d %H:%M} UTC, and here it is {now:%Y-%m-%d %H:%M} UTC. One of "
            "the clocks is wrong, or was. By a wrong clock, mail is sent at the wrong time."
        )
        do = "Compare the clock of each machine with the right time, and let a time service set it."
        yield warning("clock", text, f"{do} If all are right now, this warning ends at that time.")


def _describe(process: RunningProcess, *, now: datetime) -> str:
    silent = max(round((now - process.seen_at).total_seconds()), 0)
    since = f"{process.started_at:%Y-%m-%d %H:%M} UTC"
    return f"{', '.join(process.roles)}; version {process.version}, runs since {since}; last heartbeat {silent} s ago."
