"""Let one read of the API compute at a time in each process.

Threads that compute at once take Python's lock from each other at every query, which costs more time than the answers.
"""

from collections.abc import Iterable
from threading import Lock
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

MAX_WAIT_SECONDS = 0.1
_API, _READS = "/api/", ("GET", "HEAD")


class ApiReadMiddleware:
    """WSGI middleware. A read waits for the read before it, but at most ``MAX_WAIT_SECONDS``: that one may wait itself."""

    def __init__(self, pages: WSGIApplication, *, max_wait_seconds: float = MAX_WAIT_SECONDS) -> None:
        self._pages = pages
        self._max_wait_seconds = max_wait_seconds
        self._lock = Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("REQUEST_METHOD") not in _READS or not environ.get("PATH_INFO", "").startswith(_API):
            return self._pages(environ, start_response)
        has_lock = self._lock.acquire(timeout=self._max_wait_seconds)
        try:
            return self._pages(environ, start_response)
        finally:
            if has_lock:
                self._lock.release()
