"""Choose the engine that runs the jobs, and run it until a signal stops it."""

import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from django.conf import settings
from django.db import close_old_connections

from newsletter.common.database.change_watch import make_change_watch
from newsletter.jobs.catalogue import ALL_ROLES, WORKER, list_jobs
from newsletter.jobs.shutdown import GRACE_SECONDS, ask_to_stop, clear_stop_request, exit_during_call
from newsletter.jobs.timer import JobTimer, make_heartbeat
from newsletter.monitoring.readiness import wait_until_prepared
from newsletter.sending.dispatching.worker_loop import DEFAULT_CONCURRENCY
from newsletter.sending.settling.sweep import prepare_for_work

PROCRASTINATE = "procrastinate"
SIGNAL_CHECK_SECONDS = 0.5


class Engine(Protocol):
    """Runs the catalogue's jobs of some roles in this process."""

    def start(self) -> None:
        """Start the jobs and return."""

    def stop(self) -> bool:
        """Start nothing more and wait for running calls. Return True if all ended in time."""


class EmbeddedEngine:
    """Run the jobs of some roles in this process. ``concurrency`` is the number of concurrent calls to the provider."""

    def __init__(self, *, roles: frozenset[str] = ALL_ROLES, concurrency: int = DEFAULT_CONCURRENCY) -> None:
        self._roles = roles
        jobs = list_jobs(roles, concurrency=concurrency)
        self._changes = make_change_watch()
        self._timer = JobTimer(jobs, changes=self._changes)
        self._heartbeat = make_heartbeat(roles, jobs, changes=self._changes)

    def start(self) -> None:
        """Settle expired leases, then start the jobs."""
        clear_stop_request()
        if WORKER in self._roles:
            prepare_for_work(now=datetime.now(UTC))
            close_old_connections()
        self._heartbeat.start()
        self._timer.start()

    def stop(self) -> bool:
        """Start nothing more and wait for running calls. Return True if all ended in time."""
        ask_to_stop()
        ended = self._timer.stop(within=GRACE_SECONDS)
        self._heartbeat.stop()
        if self._changes is not None:
            self._changes.close()
        return ended


def make_engine(*, roles: frozenset[str] = ALL_ROLES, concurrency: int = DEFAULT_CONCURRENCY) -> Engine:
    """Return the engine of NEWSLETTER_ENGINE. ``concurrency`` is the number of concurrent calls to the provider."""
    if settings.NEWSLETTER_ENGINE == PROCRASTINATE:
        from newsletter.jobs.queue_engine import QueueEngine

        return QueueEngine(roles=roles, concurrency=concurrency)
    return EmbeddedEngine(roles=roles, concurrency=concurrency)


def run_until_stopped(engine: Engine, *, started: Callable[[], object]) -> None:
    """Run until SIGTERM or SIGINT, then finish running calls. A later sweep settles calls that do not end in time.

    The engine starts once the database is prepared for this version. ``started`` is called once it runs.
    """
    stopped = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda number, frame: stopped.set())
    if not wait_until_prepared(stopped.wait):
        return
    engine.start()
    started()
    # The system may deliver a signal to another thread, which does not wake this one.
    while not stopped.wait(SIGNAL_CHECK_SECONDS):
        continue
    if not engine.stop():
        exit_during_call()
