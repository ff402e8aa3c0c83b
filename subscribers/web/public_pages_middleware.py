"""A lane of their own for the public pages of people: no session, no log-in, no cookie stands before them.

So a mailbox provider's one-click POST depends on nothing but the link, and costs no more than it must.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, URLResolver, get_resolver

_RESOLVER = "subscribers.web.urls"


class PublicPagesMiddleware:
    """Answers what is in `subscribers.web.urls` at once, and hands everything else on."""

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
