"""Answer valid one-click POSTs before Django builds a request, because mailbox providers send them by the thousand.

The answer equals that of Django's page, header by header. Bad links, addresses with a query and retryable errors go
on to Django. If the database does not answer, the answer is 503.
"""

import re
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.conf import settings
from django.db import Error, InterfaceError, OperationalError
from django.utils import timezone, translation

from newsletter.common.database.deadlines import database_deadline, is_retryable
from newsletter.common.errors import BadLink
from subscribers.links.signed_links import LINK_PATTERN, Purpose, read_link
from subscribers.unsubscribing.group_commit import GroupCommitFailed
from subscribers.unsubscribing.one_click import unsubscribe_by_link
from subscribers.web.page import DATABASE_WAIT_SECONDS, PRIVATE_HEADERS, language_for, unavailable_page
from subscribers.web.unsubscribe_page import render_unsubscribed_page

_PATH = re.compile(rf"/u/({LINK_PATTERN})")
_USUAL_LENGTH_DIGITS = 5
_HEADERS = [
    ("Content-Type", "text/html; charset=utf-8"),
    *PRIVATE_HEADERS.items(),
    ("Vary", "Accept-Language"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
]


class OneClickMiddleware:
    """WSGI middleware in front of the application for all pages."""

    def __init__(self, pages: WSGIApplication) -> None:
        self._pages = pages

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        link = _PATH.fullmatch(environ.get("PATH_INFO", ""))
        if (
            link is None
            or environ["REQUEST_METHOD"] != "POST"
            or environ.get("QUERY_STRING")
            or _has_unusual_length(environ)
        ):
            return self._pages(environ, start_response)
        accepted = environ.get("HTTP_ACCEPT_LANGUAGE", "")
        status, more = "200 OK", []
        try:
            with database_deadline(DATABASE_WAIT_SECONDS):
                page = _unsubscribe(link[1], accepted=accepted)
        except (OperationalError, InterfaceError) as error:
            if is_retryable(error):
                return self._pages(environ, start_response)
            away = unavailable_page(error, language="", accepted=accepted)
            status, page = f"{away.status_code} {away.reason_phrase}", away.content
            more = [("Retry-After", away["Retry-After"])]
        except (BadLink, Error, GroupCommitFailed):
            return self._pages(environ, start_response)
        start_response(status, [*_headers(environ), *more, ("Content-Length", str(len(page)))])
        return [page]


def _unsubscribe(token: str, *, accepted: str) -> bytes:
    """Unsubscribe the person of the link and return the page."""
    target = read_link(token, purpose=Purpose.UNSUBSCRIBE, now=timezone.now())
    with translation.override(language_for("", accepted=accepted)):
        return render_unsubscribed_page(target, unsubscribe_by_link(target)).encode()


def _has_unusual_length(environ: WSGIEnvironment) -> bool:
    """Return True if the body's length is unusual, so that Django's middleware checks its limit."""
    length = str(environ.get("CONTENT_LENGTH") or "0")
    return not (length.isascii() and length.isdigit() and len(length) < _USUAL_LENGTH_DIGITS)


def _headers(environ: WSGIEnvironment) -> list[tuple[str, str]]:
    if environ.get("wsgi.url_scheme") == "https" and settings.SECURE_HSTS_SECONDS:
        subdomains = "; includeSubDomains" if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS else ""
        return [*_HEADERS, ("Strict-Transport-Security", f"max-age={settings.SECURE_HSTS_SECONDS}{subdomains}")]
    return _HEADERS
