"""Answers 400 to what cannot be read: bytes that no field can hold, encodings that are none, broken forms.

A fault of the client must not look like one of ours. What the framework itself finds unreadable comes here by `handler400`.
"""

import codecs
from collections.abc import Callable

from django.db import DataError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.utils.datastructures import MultiValueDictKeyError
from django.utils.translation import gettext_lazy

from subscribers.web.page import static_message_page

UNREADABLE_ERRORS = (DataError, OverflowError, UnicodeError, UnreadablePostError, MultiValueDictKeyError)
"""What odd input raises: a value that no column holds, a body that broke off, a form without its fields."""

_READABLE_CHARSETS = frozenset({"utf-8", "ascii", "iso8859-1", "cp1252"})


class UnreadableRequestMiddleware:
    """Middleware. Refuses NUL in an address and odd charsets before a page reads them, and says 400 for what it cannot read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _has_nul(request) or not _is_readable(request.content_params or {}):
            return show_bad_request(request)
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return show_bad_request(request) if isinstance(exception, UNREADABLE_ERRORS) else None


def _has_nul(request: HttpRequest) -> bool:
    """Return True if the address holds a NUL. The API says so itself, as a problem that names the field."""
    address = f"{request.path_info}?{request.META.get('QUERY_STRING', '')}"
    return not request.path_info.startswith("/api/") and ("\x00" in address or "%00" in address)


def show_bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """The page for a request that cannot be read. Django calls it as `handler400`."""
    return static_message_page(
        request,
        status=400,
        title=gettext_lazy("This request cannot be read"),
        text=gettext_lazy("Something in it is broken. Nothing was changed. Please go back, and try again."),
    )


def _is_readable(params: dict[str, str]) -> bool:
    """Return True if a form in this charset can be decoded. Python also knows codecs that are no text."""
    charset = params.get("charset", "")
    if not charset:
        return True
    try:
        return codecs.lookup(charset).name in _READABLE_CHARSETS
    except (LookupError, ValueError):
        return False
