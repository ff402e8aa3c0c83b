"""The pages for a missing address and for a failure, in the visitor's language. Django calls them as handlers."""

import logging
import sys
from http import HTTPStatus

from django.core.exceptions import TooManyFieldsSent
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.views.defaults import page_not_found, server_error

from newsletter.common.database.deadlines import database_deadline
from newsletter.common.staff_pages import explain_undone, is_file_error
from subscribers.models import MailingList
from subscribers.web.page import DATABASE_WAIT_SECONDS, find_visitor_language, language_for, render_response

_LOG = logging.getLogger(__name__)
MAX_OPEN_LISTS = 3
"""Lists whose sign-up page a missing page links to."""


def show_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404 in the organisation's branding, or without it if the database does not answer.

    Django calls this as `handler404`.
    """
    try:
        with database_deadline(DATABASE_WAIT_SECONDS):
            response = _make_branded_page(request)
    except (OperationalError, InterfaceError) as error:
        _LOG.warning("Showed a missing page without branding: the database did not answer. (%s)", error)
        with translation.override(find_visitor_language(request)):
            response = page_not_found(request, exception)
    patch_vary_headers(response, ["Accept-Language"])
    return response


def _make_branded_page(request: HttpRequest) -> HttpResponse:
    with translation.override(_find_language(request)):
        open_lists = MailingList.objects.filter(public=True).order_by("pk")[:MAX_OPEN_LISTS]
        return render_response("not_found.html", {"open_lists": open_lists}, status=404)


def _find_language(request: HttpRequest) -> str:
    try:
        chosen = request.GET.get("lang", "")
    except TooManyFieldsSent:
        chosen = ""
    return language_for(chosen, accepted=request.META.get("HTTP_ACCEPT_LANGUAGE", ""))


def show_server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 without the database. Django calls this as `handler500`, in the block that caught the error.

    Staff read that a file could not be used, with status 503.
    """
    error = sys.exc_info()[1]
    with translation.override(find_visitor_language(request)):
        if isinstance(error, OSError) and is_file_error(error) and request.path_info.startswith("/admin/"):
            text = loader.render_to_string("503_file.html", {"explanation": explain_undone(error)})
            return HttpResponse(text, status=HTTPStatus.SERVICE_UNAVAILABLE)
        return server_error(request)
