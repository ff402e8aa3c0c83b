"""Answer 400 to unreadable requests: NUL characters, unknown charsets, broken forms.

An error of the client must not look like a server error. Django calls `show_bad_request` as `handler400`.
"""

import codecs
from collections.abc import Callable

from django.db import DataError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.utils.datastructures import MultiValueDictKeyError
from django.utils.translation import gettext_lazy

from subscribers.web.page import static_message_page

UNREADABLE_ERRORS = (DataError, OverflowError, UnicodeError, UnreadablePostError, MultiValueDictKeyError)
"""Raised by bad input: a value that no column holds, an incomplete body, a form without its fields."""

_READABLE_CHARSETS = frozenset({"utf-8", "ascii", "iso8859-1", "cp1252"})


class UnreadableRequestMiddleware:
    """Refuse NUL characters in the URL and unknown charsets, and answer 400 to errors that bad input raises."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _has_nul(request) or not _is_readable(request.content_params or {}):
            return show_bad_request(request)
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return show_bad_request(request) if isinstance(exception, UNREADABLE_ERRORS) else None


def _has_nul(request: HttpRequest) -> bool:
    """Return True if the URL contains a NUL character. The API answers that itself and names the field."""
    address = f"{request.path_info}?{request.META.get('QUERY_STRING', '')}"
    return not request.path_info.startswith("/api/") and ("\x00" in address or "%00" in address)


def show_bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 400. Django calls this as `handler400`."""
    return static_message_page(
        request,
        status=400,
        title=gettext_lazy("This request cannot be read"),
        text=gettext_lazy("Something in it is broken. Nothing was changed. Please go back, and try again."),
    )


def _is_readable(params: dict[str, str]) -> bool:
    """Return True if a form in this charset can be decoded. Some of Python's codecs are not for text."""
    charset = params.get("charset", "")
    if not charset:
        return True
    try:
        return codecs.lookup(charset).name in _READABLE_CHARSETS
    except (LookupError, ValueError):
        return False
