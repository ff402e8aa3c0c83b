"""The form for a link to another address in a text. Wagtail's own fails on a form without that field."""

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from wagtail.admin.views.chooser import ExternalLinkView


class ExternalLink(ExternalLinkView):
    def post(self, request: HttpRequest) -> HttpResponse:
        if f"{self.form_prefix}-url" not in request.POST:
            raise BadRequest("The form has no address.")
        response: HttpResponse = super().post(request)
        return response
