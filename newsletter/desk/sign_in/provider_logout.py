"""The identity provider ends a person's sessions here: OpenID Connect Back-Channel Logout 1.0. No browser is involved."""

import hashlib
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from wagtail.log_actions import log

from newsletter.common.networks import single_client_network
from newsletter.desk.sign_in.adapter import require_identity_provider
from newsletter.desk.sign_in.refusal import log_refused_logout
from newsletter.identity_provider.errors import LogoutRefused
from newsletter.identity_provider.logout_tokens import MAX_AGE_SECONDS, Logout, verify_logout_token
from newsletter.identity_provider.settings import IdentityProvider
from newsletter.identity_provider.tokens import LEEWAY_SECONDS
from newsletter.organisation.accounts.staff_accounts import end_sessions
from subscribers.consent.throttle import increment_counter, read_counter
from subscribers.web.page import client_address_of

MAX_REFUSED_PER_NETWORK = 30
WINDOW = timedelta(minutes=5)
_REMEMBERED = timedelta(seconds=2 * (MAX_AGE_SECONDS + 2 * LEEWAY_SECONDS))
"""Longer than any token is accepted, so a replay is in this window or in the one before."""


@csrf_exempt
@never_cache
@require_POST
def log_out_by_provider(request: HttpRequest) -> HttpResponse:
    """End the sessions of the person whom a logout token names. A token that proves nothing is answered 400."""
    provider, now = require_identity_provider(), timezone.now()
    counted = f"refused logout {single_client_network(client_address_of(request))}"
    if read_counter(counted, now=now, window=WINDOW) >= MAX_REFUSED_PER_NETWORK:
        return _answer(429, "Too many logout tokens of your network were refused. Wait five minutes.")
    try:
        logout = verify_logout_token(request.POST.get("logout_token", ""), provider=provider, now=now)
        _end_sessions(logout, provider=provider, now=now)
    except LogoutRefused as refused:
        increment_counter(counted, now=now, window=WINDOW)
        log_refused_logout(refused, provider=provider)
        return _answer(400, str(refused))
    return HttpResponse()


@transaction.atomic
def _end_sessions(logout: Logout, *, provider: IdentityProvider, now: datetime) -> None:
    """End the sessions, once a token. Raises LogoutRefused. A person who is unknown here has no session."""
    digest = hashlib.sha256(logout.token_id.encode("utf-8", "surrogatepass")).hexdigest()
    used = f"logout token {digest}"
    before = read_counter(used, now=now - _REMEMBERED, window=_REMEMBERED)
    if before or increment_counter(used, now=now, window=_REMEMBERED) > 1:
        raise LogoutRefused(
            "This logout token was used before. No session was ended.", code="replayed", detail="the same jti again"
        )
    person = User.objects.filter(socialaccount__provider=provider.issuer, socialaccount__uid=logout.subject).first()
    ended = end_sessions(person) if person else 0
    if person and ended:
        log(instance=person, action="newsletter.logged_out", data={"sessions": ended, "with": provider.name})


def _answer(status: int, why: str) -> JsonResponse:
    return JsonResponse({"error": "invalid_request", "error_description": why}, status=status)
