"""URLs of the API: /api/v1/ with its OpenAPI document, and a JSON error for any other path."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, path, re_path
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI

from newsletter.api import people, publishing
from newsletter.api.problems import register_error_handlers, unknown_address


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


api = Api(
    title="Newsletter",
    version="1",
    description="For the organisation's website, donor database and reports. See docs/reference/api.md.",
    docs_url=None,
    urls_namespace="api",
)
api.add_router("", people.router)
api.add_router("", publishing.router)
register_error_handlers(api)
unknown: Callable[[HttpRequest], HttpResponse] = csrf_exempt(unknown_address)

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/", api.urls),
    re_path("", unknown, name="api_unknown"),
]
