"""What all pages opened by a signed link share: who it names, the privacy headers, and honest answers to bad links.

Possession of the link is the permission; these pages use no session, no cookie and no log-in.
"""

import logging
from collections.abc import Callable
from functools import wraps

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from subscribers.errors import BadLink
from subscribers.links import ExpiredLink, LinkTarget, Purpose, make_link, read_link
from subscribers.models import MailingList, Subscriber
from subscribers.throttle import too_many_bad_links

_LOG = logging.getLogger(__name__)
_RETRY_SECONDS = "120"
_HEADERS = {
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
}

Page = Callable[[HttpRequest, LinkTarget], HttpResponse]


def private_page(page: Callable[..., HttpResponse]) -> Callable[..., HttpResponseBase]:
    """GET, HEAD and POST only; no cookie or token check; never stored or indexed; 503 when the database is away."""

    @csrf_exempt
    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(page)
    def answer(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        try:
            response = page(request, *args, **kwargs)
        except (OperationalError, InterfaceError):
            _LOG.exception("The database did not answer; the page of a reader was refused with 503.")
            response = say(request, "Please try again in a few minutes", _AWAY, status=503)
            response["Retry-After"] = _RETRY_SECONDS
        for name, value in _HEADERS.items():
            response[name] = value
        response._has_been_logged = True  # type: ignore[attr-defined]  # Django would log the path, which holds the token
        return response

    return answer


def linked_page(purpose: Purpose) -> Callable[[Page], Callable[..., HttpResponseBase]]:
    """A page that one kind of link opens. Other links get one and the same 404; too many of them, 429."""

    def decorate(page: Page) -> Callable[..., HttpResponseBase]:
        @private_page
        @wraps(page)
        def answer(request: HttpRequest, token: str) -> HttpResponse:
            try:
                target = read_link(token, purpose=purpose, now=timezone.now())
            except ExpiredLink as error:
                return say(request, "This link is too old", str(error), status=410)
            except BadLink as error:
                many = too_many_bad_links(request.META.get("REMOTE_ADDR", ""))
                return say(request, "This link does not work", str(error), status=429 if many else 404)
            return page(request, target)

        return answer

    return decorate


def say(request: HttpRequest, title: str, text: str, *, status: int = 200) -> HttpResponse:
    """A page that says one thing."""
    return render(request, "subscribers/message.html", {"title": title, "text": text}, status=status)


def find_target(target: LinkTarget) -> tuple[Subscriber | None, MailingList | None]:
    """The person and the list that a link names; None for what has been erased since."""
    person = Subscriber.objects.filter(uuid=target.subscriber_uuid).select_related("place").first()
    mailing_list = MailingList.objects.filter(public_id=target.list_public_id).first()
    return person, mailing_list


def link_for(target: LinkTarget, purpose: Purpose) -> str:
    """The path of another page of the same person and list, as old as the link that led here: opening renews nothing."""
    url = make_link(
        purpose=purpose,
        subscriber_uuid=target.subscriber_uuid,
        list_public_id=target.list_public_id,
        now=target.issued,
    )
    return "/" + "/".join(url.rsplit("/", 2)[1:])


_AWAY = "We could not save this just now, and nothing was changed. Your link stays good; please open it again."
