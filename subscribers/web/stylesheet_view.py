"""Serves the organisation's colours to the pages of people."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from subscribers.web.page import current_branding
from subscribers.web.stylesheet import write_stylesheet


@require_safe
def stylesheet(request: HttpRequest) -> HttpResponse:
    response = HttpResponse(write_stylesheet(current_branding()), content_type="text/css; charset=utf-8")
    response["Cache-Control"] = "public, max-age=300"
    response["X-Content-Type-Options"] = "nosniff"
    return response
