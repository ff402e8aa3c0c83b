"""A middleware for people's public pages, before sessions, log-in and cookies.

A mailbox provider's one-click POST then depends on nothing but its link.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, URLResolver, get_resolver

_RESOLVER = "subscribers.web.urls"


class PublicPagesMiddleware:
    """Answers the paths in `subscribers.web.urls` and passes on all others."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._next = get_response
        self._pages: URLResolver = get_resolver(_RESOLVER)
        self._starts = frozenset(str(page.pattern).split("/", 1)[0] for page in self._pages.url_patterns)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info[1:].split("/", 1)[0] not in self._starts:
            return self._next(request)
        try:
            found = self._pages.resolve(request.path_info)
        except Resolver404:
            return self._next(request)
        answer: HttpResponse = found.func(request, *found.args, **found.kwargs)
        if not answer.streaming:
            answer.headers.setdefault("Content-Length", str(len(answer.content)))
        return answer
