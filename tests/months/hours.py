"""One hour after the other: the clock is set, and every job of the schedule and the sender runs once."""

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import time_machine

from newsletter.jobs.catalogue import ALL_ROLES, WORKER, list_jobs


class LoggedProblems(logging.Handler):
    """Counts the warnings and errors of the log by their template, with the first text of each."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.counts: Counter[str] = Counter()
        self.first: dict[str, str] = {}

    def emit(self, record: logging.LogRecord) -> None:
        key = f"{record.levelname} {record.name}: {record.msg}"
        self.counts[key] += 1
        self.first.setdefault(key, f"{record.created:.0f} {record.getMessage()}")


@contextmanager
def logged_problems() -> Iterator[LoggedProblems]:
    """Record what the product logs while this lasts."""
    handler = LoggedProblems()
    loggers = [logging.getLogger(name) for name in ("newsletter", "subscribers")]
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield handler
    finally:
        for logger in loggers:
            logger.removeHandler(handler)


@contextmanager
def at(now: datetime) -> Iterator[None]:
    """Set the clock of this process."""
    with time_machine.travel(now, tick=False):
        yield


def run_jobs() -> None:
    """Run each job once, in the catalogue's order, and the sender's jobs once more, so that a send that starts goes out."""
    for job in (*list_jobs(ALL_ROLES), *list_jobs(frozenset({WORKER}))):
        job.run()
