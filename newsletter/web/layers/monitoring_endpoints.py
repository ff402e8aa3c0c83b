"""Answer /healthz, /readyz and /metrics before Django, so that they need no host name, session or middleware.

/healthz asks nothing: it is for what restarts a process. /readyz asks the database: it is for what sends visitors here.
"""

import hmac
from collections.abc import Iterable
from http import HTTPStatus
from ipaddress import ip_address
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import orjson
from django.conf import settings

from newsletter.monitoring.metrics import CONTENT_TYPE, write_metrics
from newsletter.monitoring.readiness import get_readiness

PATHS = ("/healthz", "/readyz", "/metrics")
JSON = "application/json"
_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")
NOT_FROM_HERE = (
    "The metrics are read on this machine only, without a proxy. To read them from another one, set NEWSLETTER_METRICS_TOKEN "
    "and send it as a bearer token."
)
NEEDS_TOKEN = "Send the value of NEWSLETTER_METRICS_TOKEN: Authorization: Bearer TOKEN."  # noqa: S105  it is no token


class MonitoringMiddleware:
    """WSGI middleware in front of all pages."""

    def __init__(self, pages: WSGIApplication) -> None:
        self._pages = pages

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path not in PATHS:
            return self._pages(environ, start_response)
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            headers = [("Allow", "GET, HEAD")]
            status, body, kind = HTTPStatus.METHOD_NOT_ALLOWED, _write("method_not_allowed", "Use GET."), JSON
        else:
            headers = []
            status, body, kind = _ANSWERS[path](environ)
        if status is HTTPStatus.UNAUTHORIZED:
            headers.append(("WWW-Authenticate", "Bearer"))
        headers += [
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        start_response(f"{status.value} {status.phrase}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


Answer = tuple[HTTPStatus, bytes, str]


def _show_health(environ: WSGIEnvironment) -> Answer:
    return HTTPStatus.OK, orjson.dumps({"code": "alive", "message": "The process runs."}), JSON


def _show_readiness(environ: WSGIEnvironment) -> Answer:
    readiness = get_readiness()
    status = HTTPStatus.OK if readiness.ready else HTTPStatus.SERVICE_UNAVAILABLE
    return status, _write(readiness.code, readiness.message), JSON


def _show_metrics(environ: WSGIEnvironment) -> Answer:
    token = settings.NEWSLETTER_METRICS_TOKEN
    if token and not _has_token(environ, token):
        return HTTPStatus.UNAUTHORIZED, _write("token_needed", NEEDS_TOKEN), JSON
    if not token and not _is_from_here(environ):
        return HTTPStatus.FORBIDDEN, _write("not_from_here", NOT_FROM_HERE), JSON
    return HTTPStatus.OK, write_metrics(), CONTENT_TYPE


_ANSWERS = {"/healthz": _show_health, "/readyz": _show_readiness, "/metrics": _show_metrics}


def _write(code: str, message: str) -> bytes:
    return orjson.dumps({"code": code, "message": message})


def _has_token(environ: WSGIEnvironment, token: str) -> bool:
    scheme, _, presented = str(environ.get("HTTP_AUTHORIZATION", "")).partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(presented.strip().encode(), token.encode())


def _is_from_here(environ: WSGIEnvironment) -> bool:
    """Return True for a direct connection from this machine. A proxy forwards requests of strangers, and adds a header."""
    try:
        peer = ip_address(str(environ.get("REMOTE_ADDR", "")))
    except ValueError:
        return False
    return peer.is_loopback and not any(environ.get(header) for header in _FORWARDED)
