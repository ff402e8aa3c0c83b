"""Open a public page although a mail program or a reader changed its address: added a full stop, or broke the line in it."""

import re
from collections.abc import Callable, Iterator

from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import Resolver404, get_resolver

_PUBLIC_PAGES = ("subscribers.web.urls", "newsletter.web.urls")
_LINE_BREAK = re.compile(r"=\r?\n|[\s\u00ad\u200b-\u200d\u2060\ufeff]")
_FOREIGN = re.compile(r"[^A-Za-z0-9_./-]")
"""The first character that no address of ours has: what follows it was added."""


class MendedLinksMiddleware:
    """Redirects the address of no page to that of a public page if only what was added or broken tells them apart.

    The page still checks the signature of its link. Capital letters are made small only if no page is found otherwise.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._next = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method in ("GET", "HEAD") and (path := mend_path(request.path_info)):
            query = request.META.get("QUERY_STRING", "")
            answer = HttpResponseRedirect(f"{path}?{query}" if query else path)
            answer["Referrer-Policy"] = "no-referrer"
            answer["Cache-Control"] = "no-store"
            return answer
        return self._next(request)


def mend_path(path: str) -> str:
    """Return the path of the public page that was meant; "" if there is none or the path needs no change."""
    return next((mended for mended in _list_repairs(path) if mended != path and _is_public(mended)), "")


def _list_repairs(path: str) -> Iterator[str]:
    if not _is_changed(path):
        return
    whole = _FOREIGN.split(_LINE_BREAK.sub("", path), maxsplit=1)[0].rstrip("./")
    yield from (whole, f"{whole}/", whole.lower(), f"{whole.lower()}/")


def _is_changed(path: str) -> bool:
    """Return True if the path is that of no public page. The others of the desk and of the API stay as they are."""
    return (
        path.count("/") > 1 and not path.lower().startswith(("/admin/", "/accounts/", "/api/")) and not _is_public(path)
    )


def _is_public(path: str) -> bool:
    for pages in _PUBLIC_PAGES:
        try:
            get_resolver(pages).resolve(path)
        except Resolver404:
            continue
        return True
    return False
