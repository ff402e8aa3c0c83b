"""Security headers: those of all pages, and those of the staff's pages: a content policy with a nonce, and no access to devices.

Pages that set their own policy keep it: public pages, the archive, mail iframes.
"""

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from newsletter.common.script_nonce import fresh_nonce
from subscribers.web.page import PERMISSIONS, PRIVATE_HEADERS

STAFF_PAGES = ("/admin/", "/accounts/")
# The rich text editor writes style elements. A style cannot send anything away: it may load files of this site only.
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob: {site}; font-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors {ancestors}"
)


class StoredPageMiddleware:
    """Take Django's security headers out of a 304: a browser would replace those of the page that it has stored."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == HTTPStatus.NOT_MODIFIED:
            for name in ("Referrer-Policy", "Cross-Origin-Opener-Policy"):
                response.headers.pop(name, None)
        return response


class ContentSecurityPolicyMiddleware:
    """Add the headers to each response that lacks them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with fresh_nonce() as nonce:
            response = self.get_response(request)
        if response.status_code == HTTPStatus.NOT_MODIFIED:
            return response  # A browser would replace the headers of the page that it has stored.
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        response.headers.setdefault("Content-Security-Policy", self._policy(request, response, nonce=nonce))
        return response

    def _policy(self, request: HttpRequest, response: HttpResponse, *, nonce: str) -> str:
        if not request.path_info.startswith(STAFF_PAGES):
            return PRIVATE_HEADERS["Content-Security-Policy"]
        framed = response.headers.get("X-Frame-Options", "").upper() == "SAMEORIGIN"
        return POLICY.format(nonce=nonce, site=settings.NEWSLETTER_SITE_URL, ancestors="'self'" if framed else "'none'")
