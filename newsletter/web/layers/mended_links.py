"""Open a public page although a mail program or a reader changed its address: added a full stop, or broke the line in it."""

import re
from collections.abc import Callable, Iterator

from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import Resolver404, get_resolver

from subscribers.links.signed_links import PATHS, Purpose, find_token
from subscribers.web.urls import CHANGED_LINK

_PUBLIC_PAGES = ("subscribers.web.urls", "newsletter.web.urls")
_PURPOSES = {path: purpose for purpose, path in PATHS.items()}
LINE_BREAK = re.compile(r"=?\r?\n|[\u00ad\u200b-\u200d\u2060\ufeff]")
WHITE_SPACE = re.compile(r"\s")
_FOREIGN = re.compile(r"[^A-Za-z0-9_./-]")
"""The first character that no address of ours has: what follows it was added."""
_PAGE_OF_TOKEN = re.compile(r"(/[A-Za-z-]+)(/[A-Za-z-]+)?")


class MendedLinksMiddleware:
    """Redirect an address without a page to a public page if it differs only by added or broken characters.

    A link with a token is mended only if its signature is valid, and its page checks it again.
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
    purpose = _find_purpose(path)
    repairs = _list_repairs_with_token(path, purpose) if purpose else _list_repairs(path)
    mended = next((repair for repair in repairs if _is_public(repair)), "")
    return "" if mended == path else mended


def _find_purpose(path: str) -> Purpose | None:
    """Return the purpose of a path with a token; None for other paths."""
    start, _, token = path.removeprefix("/").partition("/")
    return _PURPOSES.get(start.lower()) if token and path.startswith("/") else None


def _list_repairs_with_token(path: str, purpose: Purpose) -> Iterator[str]:
    """Return paths with a token that we signed. Capital letters become small only outside the token.

    White space can end the link or break it, so both are tried. A page of the token comes before its first page.
    """
    text = path.split("/", 2)[2]
    unbroken = LINE_BREAK.sub("", text)
    found = [
        find_token(candidate, purpose=purpose)
        for candidate in (WHITE_SPACE.split(unbroken)[0], WHITE_SPACE.sub("", unbroken), WHITE_SPACE.split(text)[0])
    ]
    links = [(f"/{PATHS[purpose]}/{token}", rest) for token, rest in found if token]
    for link, rest in links:
        if page := _PAGE_OF_TOKEN.match(rest):
            yield f"{link}{page[0].lower()}"
            yield f"{link}{page[1].lower()}"
    yield from (link for link, _ in links)


def _list_repairs(path: str) -> Iterator[str]:
    """Return possible paths without the added characters. Capital letters become small only if no page is found otherwise."""
    if path.lower().startswith(("/admin/", "/accounts/", "/api/")):
        return
    yield path
    unbroken = LINE_BREAK.sub("", path)
    for text in (WHITE_SPACE.split(unbroken)[0], WHITE_SPACE.sub("", unbroken)):
        own_part = _FOREIGN.split(text, maxsplit=1)[0].rstrip("./")
        yield from (own_part, f"{own_part}/", own_part.lower(), f"{own_part.lower()}/")


def _is_public(path: str) -> bool:
    for pages in _PUBLIC_PAGES:
        try:
            match = get_resolver(pages).resolve(path)
        except Resolver404:
            continue
        return match.url_name != CHANGED_LINK
    return False
