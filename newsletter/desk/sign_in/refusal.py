"""Show why somebody is not signed in, and write refused sign-ins and logouts into the staff log."""

import logging

from django.contrib.auth.models import User
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from wagtail.log_actions import log

from newsletter.common.translation import translate
from newsletter.identity_provider.errors import LogoutRefused, SignInRefused
from newsletter.identity_provider.identity import Identity
from newsletter.identity_provider.settings import IdentityProvider
from newsletter.sending.limits.installation_hold import get_installation

_LOG = logging.getLogger(__name__)


def show_refusal(request: HttpRequest, refused: SignInRefused, *, provider: IdentityProvider) -> HttpResponse:
    """Return the page that explains the refusal: what happened, what it means and what to do."""
    context = {"explanation": translate(refused), "identity_provider": provider, "refused": refused.code}
    response = render(request, "account/sign_in_refused.html", context, status=refused.status)
    response["Cache-Control"] = "no-store"
    return response


def log_refusal(
    refused: SignInRefused, *, provider: IdentityProvider, person: User | None = None, identity: Identity | None = None
) -> None:
    """Write the refusal into the staff log: at the account that it concerns, or else at the installation."""
    data = {"reason": refused.code, "with": provider.name}
    if refused.detail:
        data["detail"] = refused.detail
    if identity and identity.email:
        data["email"] = identity.email[:254]
    _LOG.warning("Sign-in with %s refused: %s", provider.name, f"{refused.code} {refused.detail}".strip())
    instance: Model = person or get_installation(now=timezone.now())
    log(instance=instance, action="newsletter.sign_in_refused", title="" if person else provider.name, data=data)


def log_refused_logout(refused: LogoutRefused, *, provider: IdentityProvider) -> None:
    """Write into the staff log, at the installation, that a logout token was refused."""
    data = {"reason": refused.code, "with": provider.name, **({"detail": refused.detail} if refused.detail else {})}
    _LOG.warning("Logout by %s refused: %s", provider.name, f"{refused.code} {refused.detail}".strip())
    instance = get_installation(now=timezone.now())
    log(instance=instance, action="newsletter.logout_refused", title=provider.name, data=data)
