"""Shared parts of people's public pages: privacy headers, branding and language. No cookies."""

import logging
from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING

from django.conf import settings
from django.core import signing
from django.core.exceptions import BadRequest
from django.db import DataError, Error, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from newsletter.common.database.deadlines import database_deadline
from newsletter.common.languages import best_page_language
from newsletter.common.networks import client_address
from subscribers.identity import OtherAddressKey
from subscribers.links.signed_links import LinkTarget
from subscribers.models import MailingList, Subscriber
from subscribers.people.publishing_hooks import Branding
from subscribers.web.branding import current_branding, current_branding_version

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

_LOG = logging.getLogger(__name__)
ASK_PATH = "/my-mail"
WORDING_FIELD = "wording"
"""The hidden field of a form with what its page shows, signed."""
_RETRY_SECONDS = "120"
DATABASE_WAIT_SECONDS = 4.0
PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in (
        *("accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "geolocation", "gyroscope"),
        *("magnetometer", "microphone", "midi", "payment", "publickey-credentials-get", "screen-wake-lock", "usb"),
        *("browsing-topics", "xr-spatial-tracking"),
    )
)
"""No page uses a device of its visitor."""
PRIVATE_HEADERS = {
    "Permissions-Policy": PERMISSIONS,
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
}


def kept_for_back(response: HttpResponse) -> HttpResponse:
    """Let the visitor's own browser keep the answer to a form that must be corrected.

    “Back” then leads to what they typed. Otherwise browsers show “Document Expired” or ask to send the form again. Use it
    only on a page that shows nothing but what its visitor typed.
    """
    response["Cache-Control"] = "private, no-cache"
    return response


def private_page(page: Callable[..., HttpResponse]) -> Callable[..., HttpResponseBase]:
    """Make a view for GET, HEAD and POST without cookies or CSRF check, which is never stored or indexed.

    It answers 503 if the database does not respond.
    """

    @csrf_exempt
    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(page)
    def answer(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        language, accepted = request.GET.get("lang", ""), request.META.get("HTTP_ACCEPT_LANGUAGE", "")
        try:
            with (
                database_deadline(DATABASE_WAIT_SECONDS),
                translation.override(language_for(language, accepted=accepted)),
            ):
                response = page(request, *args, **kwargs)
        except (OperationalError, InterfaceError, OtherAddressKey) as error:
            response = unavailable_page(error, language=language, accepted=accepted, by_link="token" in kwargs)
        except (DataError, OverflowError, UnicodeError) as error:
            raise BadRequest("The request holds something that no field can keep.") from error
        for name, value in PRIVATE_HEADERS.items():
            response.setdefault(name, value)
        patch_vary_headers(response, ["Accept-Language"])
        response._has_been_logged = True  # type: ignore[attr-defined]  # Django would log the path, which holds the token
        return response

    return answer


def render_response(template: str, context: Mapping[str, object], *, status: int = 200) -> HttpResponse:
    """Render a page in the organisation's branding and the current language."""
    return HttpResponse(render_page(template, context), status=status)


def render_page(template: str, context: Mapping[str, object]) -> str:
    """Return the HTML of such a page."""
    shared = {
        "branding": current_branding(),
        "branding_version": current_branding_version(),
        "language": translation.get_language() or "en",
        "direction": "rtl" if translation.get_language_bidi() else "ltr",
    }
    return render_to_string(f"subscribers/{template}", {**shared, **context})


def message_page(
    title: str, text: str, *, status: int = 200, ask_path: str = "", ask_label: str = "", join_path: str = ""
) -> HttpResponse:
    """Return a page with one message, and links to get a new link by mail or to sign up.

    Without ``ask_label``, the link to ``ask_path`` offers a new link.
    """
    context = {"title": title, "text": text, "ask_path": ask_path, "ask_label": ask_label, "join_path": join_path}
    return render_response("message.html", context, status=status)


def activate_language_of(person: Subscriber) -> None:
    """Switch to the person's language, if we have it. Use within `private_page` only."""
    activate_language(person.language)


def activate_language(code: str) -> None:
    """Switch to a language code, as `activate_language_of` does."""
    language = best_page_language([code])
    if language:
        translation.activate(language)


def client_address_of(request: HttpRequest) -> str:
    """Return the visitor's network address, behind our own proxies."""
    return client_address(
        peer=request.META.get("REMOTE_ADDR", ""),
        forwarded=request.META.get("HTTP_X_FORWARDED_FOR", ""),
        proxies=settings.SUBSCRIBERS_TRUSTED_PROXIES,
    )


def language_for(code: str, *, accepted: str) -> str:
    """Return the language of the request's query, its header or the organisation, else English."""
    found = _asked_language(code, accepted=accepted)
    if found:
        return found
    try:
        return best_page_language([current_branding().language]) or "en"
    except (OperationalError, InterfaceError):
        return "en"


def unavailable_page(
    error: Error | OtherAddressKey, *, language: str, accepted: str, by_link: bool = True
) -> HttpResponse:
    """Return a 503 page made without the database, so without branding. The log has the error.

    ``by_link``: a person's own link opened the page.
    """
    if isinstance(error, OtherAddressKey):
        _LOG.error("Refused a public page with 503: %s", error)
    else:
        _LOG.error("Refused a public page with 503: the database did not answer. (%s)", error)
    with translation.override(_asked_language(language, accepted=accepted) or "en"):
        response = _render_without_database(
            gettext("Please try again in a few minutes"),
            gettext("We could not save this. Your link is still valid, so please open it again.")
            if by_link
            else gettext("We could not save this, so nothing was changed."),
            status=503,
        )
    response["Retry-After"] = _RETRY_SECONDS
    return response


def static_message_page(
    request: HttpRequest, *, status: int, title: "StrOrPromise", text: "StrOrPromise"
) -> HttpResponse:
    """Return a refusal in the visitor's language that needs neither the database nor the rest of the request.

    ``title`` and ``text`` are lazy translations.
    """
    with translation.override(find_visitor_language(request)):
        response = _render_without_database(str(title), str(text), status=status)
    for name, value in PRIVATE_HEADERS.items():
        response[name] = value
    patch_vary_headers(response, ["Accept-Language"])
    response._has_been_logged = True  # type: ignore[attr-defined]  # Django would log the path, which may hold a token
    return response


def find_visitor_language(request: HttpRequest) -> str:
    """Return the language that the visitor's browser asks for, if we have pages in it, else English."""
    return _asked_language("", accepted=request.META.get("HTTP_ACCEPT_LANGUAGE", "")) or "en"


def _render_without_database(title: str, text: str, *, status: int) -> HttpResponse:
    context = {
        "branding": Branding(),
        "language": translation.get_language() or "en",
        "direction": "rtl" if translation.get_language_bidi() else "ltr",
        "title": title,
        "text": text,
    }
    return HttpResponse(render_to_string("subscribers/message.html", context), status=status)


def _asked_language(asked: str, *, accepted: str) -> str:
    return best_page_language([asked, *(code for code, _ in parse_accept_lang_header(accepted[:200]))])


def sign_wording(wording: str, *, action: str, target: LinkTarget) -> str:
    """Return the value of `WORDING_FIELD` for a form with this text: for one action of the link's person on its list."""
    return _make_wording_signer(action, target).sign_object(wording)


def read_wording(request: HttpRequest, *, action: str, target: LinkTarget, default: str) -> str:
    """Return the text that the page of the posted form showed; ``default`` if the form does not prove it.

    A form for another action, person or list proves nothing.
    """
    try:
        return str(_make_wording_signer(action, target).unsign_object(request.POST.get(WORDING_FIELD, "")))
    except signing.BadSignature:
        return default


def _make_wording_signer(action: str, target: LinkTarget) -> signing.Signer:
    return signing.Signer(salt=f"subscribers.wording {action} {target.subscriber_uuid} {target.public_id}")


def public_list_name(mailing_list: MailingList | None) -> str:
    """Return the list's name as readers may know it."""
    if mailing_list is None or not mailing_list.public:
        return gettext("this newsletter")
    return mailing_list.name
