"""Adapter of django-allauth for the identity provider. It raises SignInRefused; `pages` shows and logs the refusal.

A sign-in asks for our second factor, unless the identity provider asked for one.
"""

import re
from collections.abc import Mapping
from typing import Any, NoReturn

from allauth.mfa.stages import AuthenticateStage
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.db import IntegrityError
from django.http import Http404, HttpRequest
from django.utils import timezone

from newsletter.desk.sign_in.admission import admit
from newsletter.desk.sign_in.flow import DeskProvider, make_provider
from newsletter.identity_provider.errors import BrokenSignIn
from newsletter.identity_provider.identity import Identity
from newsletter.identity_provider.settings import IdentityProvider, get_identity_provider
from newsletter.identity_provider.tokens import check_sign_in

_ERROR_CODE = re.compile(r"[a-z_]{1,40}")


class DeskSocialAdapter(DefaultSocialAccountAdapter):
    """Admit people of the identity provider, and nobody else."""

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> DeskProvider:
        """Return the one identity provider that there is."""
        return make_provider(request, require_identity_provider())

    def is_open_for_signup(self, request: HttpRequest, sociallogin: object) -> bool:
        """Return False: `admit` makes the accounts."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Check that the answer is for this sign-in, and find or make the account. Raises SignInRefused."""
        provider, now = require_identity_provider(), timezone.now()
        state = sociallogin.state
        check_sign_in(
            sociallogin.claims,
            provider=provider,
            nonce=str(state.get("nonce", "")),
            again=bool(state.get("again")),
            now=now,
        )
        try:
            admitted = admit(sociallogin.identity, provider=provider, now=now)
        except (
            IntegrityError
        ):  # the same person signed in with two browsers at once, and the other request made the rows
            admitted = admit(sociallogin.identity, provider=provider, now=now)
        sociallogin.user, sociallogin.account = admitted

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: DeskProvider,
        error: object = None,
        exception: Exception | None = None,
        extra_context: dict[str, object] | None = None,
    ) -> NoReturn:
        """Raise BrokenSignIn: the sign-in is unknown in this browser, or the identity provider ended it."""
        if "state" not in (extra_context or {}):
            raise BrokenSignIn(
                "This sign-in does not belong to this browser, is older than ten minutes, or was used before. You are not "
                "signed in. Sign in again.",
                code="state",
            )
        code = request.GET.get("error", "")
        if code == "access_denied":
            raise BrokenSignIn(
                "The sign-in at %(name)s was cancelled, so you are not signed in. Sign in again, or ask whoever looks after "
                "%(name)s whether you may use the newsletter.",
                name=provider.settings.name,
                code="cancelled",
            )
        raise BrokenSignIn(
            "%(name)s ended the sign-in with an error, so you are not signed in. Sign in again. If it stays like this, tell "
            "an administrator: the staff log says what was wrong.",
            name=provider.settings.name,
            code="ended",
            detail=code if _ERROR_CODE.fullmatch(code) else "no code",
        ) from exception


def require_identity_provider() -> IdentityProvider:
    """Return the identity provider. Raises Http404 without one."""
    provider = get_identity_provider()
    if provider is None:
        raise Http404("No identity provider is set up.")
    return provider


class SecondFactorStage(AuthenticateStage):
    def handle(self) -> tuple[Any, bool]:
        identity = find_identity(self.login.signal_kwargs)
        if identity is not None and identity.second_factor:
            return None, True
        result: tuple[Any, bool] = super().handle()
        return result


def find_identity(signal_kwargs: Mapping[str, object] | None) -> Identity | None:
    """Return the identity of a sign-in with the identity provider; None for a password."""
    identity = getattr((signal_kwargs or {}).get("sociallogin"), "identity", None)
    return identity if isinstance(identity, Identity) else None


def is_by_identity_provider(signal_kwargs: Mapping[str, object] | None) -> bool:
    return (signal_kwargs or {}).get("sociallogin") is not None
