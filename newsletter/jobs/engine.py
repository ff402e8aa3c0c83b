"""Choose the engine that runs the jobs, and run it until a signal stops it."""

import signal
import threading
from collections.abc import Callable
from typing import Protocol

from django.conf import settings

from newsletter.jobs.catalogue import ALL_ROLES
from newsletter.jobs.embedded_engine import EmbeddedEngine
from newsletter.jobs.shutdown import exit_during_call
from newsletter.monitoring.readiness import wait_until_prepared
from newsletter.sending.dispatching.worker_loop import DEFAULT_CONCURRENCY

PROCRASTINATE = "procrastinate"
SIGNAL_CHECK_SECONDS = 0.5


class Engine(Protocol):
    """Runs the catalogue's jobs of some roles in this process."""

    def start(self) -> None:
        """Start the jobs and return."""

    def stop(self) -> bool:
        """Start nothing more and wait for running calls. Return True if all ended in time."""


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
