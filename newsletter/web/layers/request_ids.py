"""Give each request an id that its log lines and its answer have in common."""

import re
from collections.abc import Callable, Iterable
from random import getrandbits
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.conf import settings

from newsletter.common.networks import is_proxy
from newsletter.monitoring.logs.context import working_on

HEADER = "X-Request-ID"
_GIVEN = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestIdMiddleware:
    """WSGI middleware around all others. The id of a trusted proxy is kept; an id that a visitor sends is not."""

    def __init__(self, pages: WSGIApplication) -> None:
        self._pages = pages

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = _find_id(environ)

        def start(status: str, headers: list[tuple[str, str]], *error: object) -> Callable[[bytes], object]:
            return start_response(status, [*headers, (HEADER, request)], *error)  # type: ignore[arg-type]

        with working_on(request=request):
            return self._pages(environ, start)


def _find_id(environ: WSGIEnvironment) -> str:
    request_id = environ.get("HTTP_X_REQUEST_ID", "")
    if _GIVEN.fullmatch(request_id) and is_proxy(
        environ.get("REMOTE_ADDR", ""), proxies=settings.SUBSCRIBERS_TRUSTED_PROXIES
    ):
        return str(request_id)
    return f"{getrandbits(128):032x}"  # no secret, so no question to the system, for which a thread waits
