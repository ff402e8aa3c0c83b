"""SIGQUIT ends the web server at once, whatever its event loop was doing."""

import signal
from threading import Thread

import pytest
from gunicorn.config import Config

from newsletter.common.thread_pool import LastUsedFirstExecutor
from newsletter.management.web_worker import CollectingWorker

SECONDS = 5


def test_sigquit_does_not_wait_for_the_lock_of_the_thread_pool() -> None:
    worker = object.__new__(CollectingWorker)
    worker.cfg, worker.tpool = Config(), LastUsedFirstExecutor(1)

    def quit_at_once() -> None:
        with pytest.raises(SystemExit):
            worker.handle_quit(signal.SIGQUIT, None)

    handler = Thread(target=quit_at_once, daemon=True)
    with worker.tpool._lock:
        handler.start()
        handler.join(SECONDS)
        assert not handler.is_alive()
