"""Limits on the size of request bodies, by path. A larger body is refused before anything reads it."""

from collections.abc import Callable
from urllib.parse import unquote

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy

from newsletter.feedback.receive import MAX_BODY_BYTES
from newsletter.inbound.webhooks import MAX_BODY_BYTES as MAX_MAIL_BYTES
from newsletter.web.layers.bad_requests import show_bad_request
from subscribers.importing.reading.file_format import MAX_FILE_BYTES
from subscribers.web.page import static_message_page

PUBLIC_BYTES = 64 * 1024
DESK_BYTES = MAX_FILE_BYTES + 1024 * 1024
IMPORT_PATHS = ("/api/v1/imports", "/api/v1/imports/")
"""The API call that accepts a file as large as the desk does."""


def body_limit(path: str) -> int:
    """Return the limit in bytes for this path. `path` is decoded, as Django's `path_info` is."""
    if path in IMPORT_PATHS:
        return MAX_FILE_BYTES
    match path.lstrip("/").split("/", 1)[0]:
        case "admin":
            return DESK_BYTES
        case "hooks":
            return MAX_BODY_BYTES
        case "inbound":
            return MAX_MAIL_BYTES
        case "api":
            return int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0)
    return PUBLIC_BYTES


def body_limit_of_target(target: str) -> int:
    """Return the limit in bytes for the target of a request line, such as `/join/weekly?lang=es`."""
    return body_limit(unquote(target.split("?", 1)[0]))


def body_length(environ: dict[str, object]) -> int:
    """Return the length that the client announced. Raise ValueError if it is not a number."""
    length = str(environ.get("CONTENT_LENGTH") or "0")
    if not (length.isascii() and length.isdigit()):
        raise ValueError("The length of a body must be a number.")
    return int(length)


class BodyLimitMiddleware:
    """Answer 413 to a body that is too large and 400 to an invalid length.

    The API and the webhooks answer in their own formats, with the same limits.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            length = body_length(request.META)
        except ValueError:
            return show_bad_request(request)
        limit = body_limit(request.path_info)
        if length <= limit or request.path_info.startswith(("/api/", "/hooks/", "/inbound/")):
            return self.get_response(request)
        return static_message_page(
            request,
            status=413,
            title=gettext_lazy("This is too large"),
            text=gettext_lazy("More was sent than this page takes, so nothing was changed. Please send less."),
        )
