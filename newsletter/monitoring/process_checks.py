"""Report which processes run, of which version, and which are missing."""

from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import version

from django.db import Error

from newsletter.models import RunningProcess
from newsletter.monitoring.process_figures import is_running, read_roles
from newsletter.monitoring.process_heartbeat import ROLES
from newsletter.sending.deliverability.findings import Finding, ok, warning

_MISSING = {
    "web": "No web process is known to run. Without one, no page opens, so nobody can sign up or unsubscribe.",
    "scheduler": "No scheduler runs: no source is read, no issue is assembled and no send begins.",
    "worker": "No worker runs: nothing is sent, neither issues nor confirmations.",
}
_OWN_SERVER = "A WSGI server of your own reports from its first request on."


def check_processes(*, now: datetime) -> Iterator[Finding]:
    """Report each running process, each role that none has, and other versions. Without a database, report nothing."""
    try:
        processes = list(RunningProcess.objects.order_by("started_at"))
    except Error:
        return  # the check of the database says what to do
    running = [process for process in processes if is_running(process, now=now)]
    if not running:
        says = "No process runs: no page opens, no issue is assembled and nothing is sent."
        do = "Start newsletter serve. On several machines, start web, scheduler and worker."
        yield warning("processes", says, f"{do} {_OWN_SERVER}")
        return
    for process in running:
        yield ok("process", _describe(process, now=now))
    for role, figures in read_roles(processes, now=now).items():
        if not figures.running:
            says = _MISSING[role]
            do = f"Start newsletter serve, or newsletter {role}."
            if figures.last_seen:
                says = f"{says} The last one wrote to the database on {figures.last_seen:%Y-%m-%d %H:%M} UTC."
                do = f"Read the end of its log. {do}"
            if role == "web":
                do = f"{do} Restart one that hangs. {_OWN_SERVER}"
            yield warning("processes", says, do)
    own, found = version("newsletter"), {process.version for process in running}
    if found != {own}:
        says = f"Running processes are of version {', '.join(sorted(found))}; this command is of version {own}."
        yield warning("processes", says, f"Install {own} on each machine and restart each process of another version.")


def _describe(process: RunningProcess, *, now: datetime) -> str:
    roles = ", ".join(role for role in ROLES if getattr(process, role))
    silent = max(round((now - process.seen_at).total_seconds()), 0)
    since = f"{process.started_at:%Y-%m-%d %H:%M} UTC"
    return f"{roles}; version {process.version}, runs since {since}; last heartbeat {silent} s ago."
