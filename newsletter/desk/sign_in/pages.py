"""The two steps of a sign-in with the identity provider: leave for it, and come back."""

from datetime import timedelta
from typing import Any

from allauth.account.utils import get_next_redirect_url
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from newsletter.common.networks import single_client_network
from newsletter.desk.sign_in.adapter import require_identity_provider
from newsletter.desk.sign_in.admission import find_person
from newsletter.desk.sign_in.flow import DeskOAuth2Adapter, make_provider
from newsletter.desk.sign_in.refusal import log_refusal, show_refusal
from newsletter.identity_provider.errors import BrokenSignIn, SignInRefused
from newsletter.identity_provider.settings import IdentityProvider
from subscribers.consent.throttle import increment_counter
from subscribers.web.page import client_address_of

MAX_STEPS_PER_NETWORK = 120
WINDOW = timedelta(minutes=5)


class TooManySignIns(SignInRefused):
    """One network began or ended more sign-ins than people do."""

    status = 429


@require_safe
@never_cache
def start_sign_in(request: HttpRequest, *, again: bool = False) -> HttpResponse:
    """Redirect to the identity provider. ``again`` confirms a person who is signed in already."""
    provider = require_identity_provider()
    try:
        _count(request)
        next_url = get_next_redirect_url(request)
        return make_provider(request, provider).begin(request, next_url=next_url, again=again)
    except TooManySignIns as refused:
        return show_refusal(request, refused, provider=provider)
    except SignInRefused as refused:
        log_refusal(refused, provider=provider)
        return show_refusal(request, refused, provider=provider)


@require_safe
@never_cache
def finish_sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in the person whom the identity provider names, or say why not."""
    provider = require_identity_provider()
    adapter = DeskOAuth2Adapter(request, provider=provider)
    try:
        _count(request)
        _check_issuer(request, provider=provider)
        view: Any = OAuth2CallbackView.adapter_view(adapter)
        response: HttpResponse = view(request)
    except TooManySignIns as refused:
        return show_refusal(request, refused, provider=provider)
    except SignInRefused as refused:
        identity = adapter.identity
        person = find_person(identity, provider=provider) if identity else None
        log_refusal(refused, provider=provider, identity=identity, person=person)
        return show_refusal(request, refused, provider=provider)
    return response


def _count(request: HttpRequest) -> None:
    """Raise TooManySignIns if this network tries too often."""
    network = single_client_network(client_address_of(request))
    if increment_counter(f"oidc {network}", now=timezone.now(), window=WINDOW) > MAX_STEPS_PER_NETWORK:
        raise TooManySignIns(
            "Too many sign-ins were begun from your network, so you are not signed in. Wait five minutes, then try again.",
            code="too_many",
        )


def _check_issuer(request: HttpRequest, *, provider: IdentityProvider) -> None:
    """Raise BrokenSignIn if the answer names another issuer (RFC 9207)."""
    issuer = request.GET.get("iss")
    if issuer is not None and issuer.rstrip("/") != provider.issuer:
        raise BrokenSignIn(
            "The answer comes from another identity provider than %(name)s, so you are not signed in. Sign in again.",
            name=provider.name,
            code="issuer",
        )
