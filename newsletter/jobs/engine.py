"""The seam between what runs and what runs it: the setting chooses an engine, and each can be started and stopped."""

import logging
import os
import signal
import threading
from collections.abc import Callable
from typing import Protocol

from django.conf import settings

from newsletter.jobs import embedded_engine as embedded
from newsletter.jobs.catalogue import ALL_ROLES
from newsletter.sending.dispatching.worker_loop import DEFAULT_CONCURRENCY

log = logging.getLogger(__name__)
PROCRASTINATE = "procrastinate"
SIGNAL_CHECK_SECONDS = 0.5


class Engine(Protocol):
    """Runs the catalogue's jobs of some roles in this process."""

    def start(self) -> None: ...

    def stop(self) -> bool:
        """Begin nothing more and wait for the calls under way. Returns whether all of them ended in time."""


def make_engine(*, roles: frozenset[str] = ALL_ROLES, concurrency: int = DEFAULT_CONCURRENCY) -> Engine:
    """The engine of NEWSLETTER_ENGINE. ``concurrency`` is how many calls to the provider go at once."""
    if settings.NEWSLETTER_ENGINE == PROCRASTINATE:
        from newsletter.jobs.queue_engine import QueueEngine

        return QueueEngine(roles=roles, concurrency=concurrency)
    return embedded.Engine(roles=roles, concurrency=concurrency)


def run_until_stopped(engine: Engine, *, started: Callable[[], object]) -> None:
    """Run until SIGTERM or SIGINT, then finish the calls under way; what does not end in time is left to the sweeps.

    ``started`` is called once the engine runs and a signal would be heeded.
    """
    stopped = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda number, frame: stopped.set())
    engine.start()
    started()
    # The system may hand a signal to any thread; this one, which acts on it, is woken by none but its own.
    while not stopped.wait(SIGNAL_CHECK_SECONDS):
        continue
    if not engine.stop():
        log.warning("A call did not end in time. Its batch is looked into by the next worker: nobody is mailed twice.")
        # Python would wait for the threads of that call, however long they take.
        os._exit(0)
