"""The pages for a missing address and for a failure, in the visitor's language. Django calls them as handlers."""

from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.views.defaults import page_not_found, server_error

from subscribers.web.page import find_visitor_language


def show_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404. Django calls this as `handler404`."""
    with translation.override(find_visitor_language(request)):
        return page_not_found(request, exception)


def show_server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 without the database. Django calls this as `handler500`."""
    with translation.override(find_visitor_language(request)):
        return server_error(request)
