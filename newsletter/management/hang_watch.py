"""End the process if the event loop that serves pages hangs, so that its supervisor starts it again."""

import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress

from newsletter.jobs.shutdown import GRACE_SECONDS
from newsletter.monitoring.event_loop import TurnWatch, turns

log = logging.getLogger(__name__)
SECONDS_BETWEEN = 15.0
LOOKS_BEFORE_END = 20  # five minutes
LOG_SECONDS = 2.0


class HangWatch:
    """Looks in a thread of its own. ``stop_asked`` lets the calls to the provider end before the process does."""

    def __init__(self, stop_asked: Callable[[], "Future[bool]"]) -> None:
        self._stop_asked = stop_asked
        self._ended = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._watch, name="hang-watch", daemon=True).start()

    def end(self) -> None:
        self._ended.set()

    def _watch(self) -> None:
        watch = TurnWatch(turns)
        while not self._ended.wait(SECONDS_BETWEEN):
            if watch.look() >= LOOKS_BEFORE_END:
                self._end_process()

    def _end_process(self) -> None:
        try:
            # The log may be what hangs, for example if nobody reads the output.
            logging_thread = threading.Thread(target=_log_hang, daemon=True)
            logging_thread.start()
            logging_thread.join(LOG_SECONDS)
            with suppress(TimeoutError):  # the next worker settles the batches of calls that go on
                self._stop_asked().result(GRACE_SECONDS + LOG_SECONDS)
        finally:
            os._exit(1)


def _log_hang() -> None:
    log.critical("The web server hangs: no page opens. This process ends, so that its supervisor starts it again.")
