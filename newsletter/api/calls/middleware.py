"""A middleware for the API, before sessions, cookies and sign-in: a call depends on nothing but its key."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLResolver, get_resolver
from django.utils import translation

from newsletter.models.staff import done_from
from subscribers.web.page import client_address_of

API_URLS, _START = "newsletter.api.urls", "/api"


class ApiMiddleware:
    """Answers all paths under /api/ and passes on all others."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._next = get_response
        self._calls: URLResolver = get_resolver(API_URLS)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(f"{_START}/"):
            return self._next(request)
        match = request.resolver_match = self._calls.resolve(request.path_info.removeprefix(_START))
        token = done_from.set(client_address_of(request))
        try:
            with translation.override(translation.get_language_from_request(request)):
                answer: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
        finally:
            done_from.reset(token)
        if not answer.streaming:
            answer.headers.setdefault("Content-Length", str(len(answer.content)))  # type: ignore[attr-defined]
        return answer
