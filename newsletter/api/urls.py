"""URLs of the API: /api/v1/ with its OpenAPI document, and a JSON error for any other path."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, path, re_path
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from newsletter.api.calls.handle_call import handle_call
from newsletter.api.calls.openapi import complete_document
from newsletter.api.calls.problems import answer_wrong_method, register_error_handlers, unknown_address
from newsletter.api.calls.renderer import Renderer
from newsletter.api.content import appeals, cases, events, sources, stories
from newsletter.api.lists import lists, segments, topics
from newsletter.api.people import (
    adding,
    dry_runs,
    exports,
    imports,
    people,
    replies,
    sign_up_forms,
    sign_ups,
    suppressions,
)
from newsletter.api.people.router import router as people_router
from newsletter.api.publishing import blocks, gifts, issues, mail_templates, mails, receipts, sends


class Api(NinjaAPI):
    def create_response(
        self,
        request: HttpRequest,
        data: object,
        *,
        status: int | None = None,
        temporal_response: HttpResponse | None = None,
    ) -> HttpResponse:
        response = super().create_response(request, data, status=status, temporal_response=temporal_response)
        response["Cache-Control"] = "no-store"
        return response

    def get_openapi_schema(self, **kwargs: Any) -> OpenAPISchema:
        return complete_document(super().get_openapi_schema(**kwargs), self)


api = Api(
    title="Newsletter",
    version="1",
    description="For the organisation's website, donor database and reports.",
    docs_url=None,
    urls_namespace="api",
    renderer=Renderer(),
)
api.add_decorator(handle_call, mode="view")
for router in (
    people_router,
    suppressions.router,
    exports.router,
    imports.router,
    sign_up_forms.router,
    lists.router,
    topics.router,
    segments.router,
    stories.router,
    cases.router,
    events.router,
    appeals.router,
    sources.router,
    receipts.router,
    sends.router,
    gifts.router,
    mail_templates.router,
):
    api.add_router("", router)
register_error_handlers(api)
__all__ = [
    "adding",
    "api",
    "blocks",
    "dry_runs",
    "issues",
    "mails",
    "people",
    "replies",
    "sign_ups",
    "urlpatterns",
]  # the modules register their calls


def _list_patterns() -> list[URLPattern | URLResolver]:
    """Return the URL patterns of the calls. A method that a path does not have is answered by a problem."""
    patterns = api.urls[0]
    for pattern in patterns:
        if pattern.callback is not None:
            pattern.callback = answer_wrong_method(pattern.callback)
    return patterns


unknown: Callable[[HttpRequest], HttpResponse] = csrf_exempt(unknown_address)

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/", (_list_patterns(), *api.urls[1:])),
    re_path("", unknown, name="api_unknown"),
]
