"""The web server of `newsletter serve` and `newsletter web`: a worker of gunicorn, in this process, with threads."""

import logging
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from wsgiref.types import WSGIApplication

from django.conf import settings
from gunicorn.app.base import BaseApplication
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.sock import create_sockets

from newsletter.jobs.shutdown import GRACE_SECONDS, exit_during_call
from newsletter.management.hang_watch import HangWatch
from newsletter.management.web_worker import worker_class
from newsletter.management.wsgi_pages import load_pages
from newsletter.monitoring.event_loop import turns
from newsletter.monitoring.logs.formatters import make_formatter
from newsletter.web.layers.body_limits import body_limit_of_target

log = logging.getLogger(__name__)
THREADS = 24
CONNECTIONS = 600  # below the 1,024 files that systems usually let a process open
_CONTROL_SOCKET_OFF = "control_socket_disable"  # from gunicorn 25.1 on, which else opens one in the home folder
_READS = (b"GET /api/", b"HEAD /api/")


class Log(Logger):
    """Gunicorn's log in our format, without the tokens in the address of a failed request."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(make_formatter(settings.NEWSLETTER_LOG))


class EarlyStop:
    """Run ``stopping`` once, in a thread: open requests and calls to the provider end side by side, within the same time."""

    def __init__(self, stopping: Callable[[], bool]) -> None:
        self._stopping = stopping
        self._lock = threading.Lock()
        self._ended: Future[bool] | None = None

    def begin(self) -> "Future[bool]":
        """Begin if that has not been done. The result is False if work is still going on."""
        with self._lock:
            if self._ended is None:
                self._ended = ThreadPoolExecutor(1, thread_name_prefix="stop").submit(self._stopping)
            return self._ended


class Server(BaseApplication):
    """Gunicorn configured from code, without its arbiter: that process only restarts the serving one, as systemd does.

    ``started`` runs once the pages can be served. ``stopping`` runs in a thread as soon as the process is asked to stop, and
    returns False if work is still going on after ``GRACE_SECONDS``.
    """

    def __init__(self, *, host: str, port: int, started: Callable[[], None], stopping: Callable[[], bool]) -> None:
        proxies = settings.SUBSCRIBERS_TRUSTED_PROXIES
        self._stop = EarlyStop(stopping)
        self._settings: dict[str, object] = {
            "bind": f"{host}:{port}",
            "threads": THREADS,
            "worker_class": worker_class(
                body_limit=body_limit_of_target,
                trusted_proxies=proxies,
                is_for_one_thread=is_api_read,
                stop_asked=self._stop.begin,
            ),
            "worker_connections": CONNECTIONS,
            "forwarded_allow_ips": ",".join(proxies),
            "forwarder_headers": "",
            "graceful_timeout": int(GRACE_SECONDS),
            "timeout": 0,
            "loglevel": "warning",
            "logger_class": Log,
            "post_worker_init": lambda worker: started() if worker.alive else None,
        }
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._settings.items():
            self.cfg.set(name, value)
        if _CONTROL_SOCKET_OFF in self.cfg.settings:
            self.cfg.set(_CONTROL_SOCKET_OFF, True)

    def load(self) -> WSGIApplication:
        return load_pages()

    def run(self) -> None:
        """Serve until SIGTERM, SIGHUP or SIGINT."""
        log = self.cfg.logger_class(self.cfg)
        worker = self.cfg.worker_class(0, os.getppid(), create_sockets(self.cfg, log), self, 0, self.cfg, log)
        watch = HangWatch(self._stop.begin)
        watch.start()
        try:
            worker.init_process()
        finally:
            watch.end()
            turns.end()
            if not self._stop.begin().result():
                exit_during_call(status=_log_failure(sys.exc_info()[1]))


def _log_failure(error: BaseException | None) -> int:
    """Return the exit status. Log what nobody else can: the process ends before Python prints it."""
    if error is None or (isinstance(error, SystemExit) and not error.code):
        return 0
    log.critical("The web server failed, so this process ends. Start it again.", exc_info=error)
    return 1


def is_api_read(first_line: bytes) -> bool:
    """Return True if a request with this first line reads from the API. Such requests are answered one after another.

    Threads that compute at once take Python's lock from each other at every query, which costs more time than the answers.
    """
    return first_line.startswith(_READS)
