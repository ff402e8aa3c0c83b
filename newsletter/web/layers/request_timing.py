"""Measure how long each request takes, by part of the site."""

from collections.abc import Callable, Iterable
from time import perf_counter
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from newsletter.monitoring.metrics import observe_request
from newsletter.web.layers.monitoring_endpoints import PATHS

AREAS = {
    "accounts": "sign_in",
    "admin": "desk",
    "api": "api",
    "hooks": "reports",
    "m": "pictures",
    "news": "archive",
    "static": "static",
    "u": "unsubscribe",
}
OTHER_AREA = "public"


def find_area(path: str) -> str:
    """Return the part of the site that a path belongs to."""
    return AREAS.get(path.lstrip("/").split("/", 1)[0], OTHER_AREA)


class RequestTimingMiddleware:
    """WSGI middleware around all others. Requests for metrics themselves are not measured."""

    def __init__(self, pages: WSGIApplication) -> None:
        self._pages = pages

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path in PATHS:
            return self._pages(environ, start_response)
        began, status = perf_counter(), 500

        def start(line: str, headers: list[tuple[str, str]], *error: object) -> Callable[[bytes], object]:
            nonlocal status
            status = int(line[:3])
            return start_response(line, headers, *error)  # type: ignore[arg-type]

        try:
            return self._pages(environ, start)
        finally:
            observe_request(area=find_area(path), status=status, seconds=perf_counter() - began)
