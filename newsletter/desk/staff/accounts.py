"""Adapters of django-allauth: no sign-up, limits on wrong passwords, encrypted secrets, and entries in the staff log.

Wrong passwords are counted by account and network. If all visitors share one address, anybody could lock others out.
So a signed cookie gives each known browser its own count ("device cookies", OWASP).
"""

import base64
import hashlib
import secrets
from collections.abc import Iterable, Mapping
from datetime import timedelta

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from allauth.usersessions.models import UserSession
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.log_actions import log

from newsletter.common.networks import single_client_network
from newsletter.desk.sign_in.adapter import find_identity, is_by_identity_provider
from newsletter.desk.sign_in.refusal import log_refusal, show_refusal
from newsletter.desk.staff.second_factor import BEGAN_KEY, SECOND_FACTOR_KEY, begin_session
from newsletter.identity_provider.errors import NotAdmitted
from newsletter.identity_provider.settings import get_identity_provider
from newsletter.organisation.accounts.administrators import has_password, may_use_password
from subscribers.consent.throttle import increment_counter
from subscribers.web.page import client_address_of

SECOND_FACTOR_STAGE = "newsletter.desk.sign_in.adapter.SecondFactorStage"
RECENT_SIGN_IN_SECONDS = 600
STOP_LOG_INTERVAL_SECONDS = 300
MAX_FAILURES_PER_NETWORK = 60
FAILURE_WINDOW = timedelta(minutes=5)
SALT = "newsletter.known-browser"
COOKIE_MAX_AGE = timedelta(days=180)


class AccountAdapter(DefaultAccountAdapter):
    """Close sign-up, limit wrong passwords and log sign-ins."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": _("Incorrect email or password. Try again."),
        "email_password_mismatch": _("Incorrect email or password. Try again."),
        "too_many_login_attempts": _("Too many attempts. Wait five minutes, then try again."),
    }

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address_of(request)

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_stages(self) -> list[str]:
        """Return the steps of a sign-in, with our own for the second factor."""
        stages: list[str] = super().get_login_stages()
        return [SECOND_FACTOR_STAGE if stage == "allauth.mfa.stages.AuthenticateStage" else stage for stage in stages]

    def get_reauthentication_methods(self, user: User) -> list[dict[str, object]]:
        """Return the ways to confirm who is there. Staff without a password confirm it at the identity provider."""
        methods: list[dict[str, object]] = super().get_reauthentication_methods(user)
        if not self.confirms_by_sign_in(user):
            return methods
        at_provider: dict[str, object] = {"id": "identity_provider", "url": reverse("newsletter_oidc_again")}
        return [*(method for method in methods if method["id"] != "reauthenticate"), at_provider]

    def confirms_by_sign_in(self, user: User) -> bool:
        """Return True for staff whom only the identity provider can confirm, because they have no password."""
        return get_identity_provider() is not None and not has_password(user)

    def reauthenticate(self, user: User, password: str) -> bool:
        """Return True for the right password. Staff without one must have signed in during the last ten minutes."""
        if self.confirms_by_sign_in(user):
            return self.request is not None and is_recent(self.request)
        return bool(super().reauthenticate(user, password))

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Mapping[str, object] | None) -> HttpResponse | None:
        """Refuse a password if this person may sign in only with the identity provider."""
        provider = get_identity_provider()
        if provider and not is_by_identity_provider(kwargs.get("signal_kwargs")) and not may_use_password(user):
            refused = NotAdmitted(
                "Only administrators sign in to this desk with a password, so you are not signed in. Sign in with %(name)s.",
                name=provider.name,
                code="password_off",
            )
            log_refusal(refused, provider=provider, person=user)
            return show_refusal(request, refused, provider=provider)
        response: HttpResponse | None = super().pre_login(request, user, **kwargs)
        return response

    def is_reauthentication_required(self, *, app: str, **kwargs: object) -> bool:
        """Return False for somebody who signed in during the last ten minutes."""
        if self.request and is_recent(self.request):
            return False
        return bool(super().is_reauthentication_required(app=app, **kwargs))

    def post_login(self, request: HttpRequest, user: User, **kwargs: Mapping[str, object] | None) -> HttpResponse:
        begin_session(request, now=timezone.now())
        identity, provider = find_identity(kwargs.get("signal_kwargs")), get_identity_provider()
        if identity and identity.second_factor:
            request.session[SECOND_FACTOR_KEY] = user.pk
        data = {"with": provider.name} if provider and is_by_identity_provider(kwargs.get("signal_kwargs")) else None
        log(instance=user, action="newsletter.signed_in", user=user, data=data)
        response: HttpResponse = super().post_login(request, user, **kwargs)
        remember_browser(response, user=user)
        return response

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: object) -> str:
        """Count wrong passwords by account and network, or by browser if the account has signed in there before."""
        user = _find_user(credentials)
        browser = find_known_browser(request, user=user) if user else None
        if browser:
            return f"browser:{browser}"
        return f"{single_client_network(client_address_of(request))}:{_read_username(credentials)}"

    def pre_authenticate(self, request: HttpRequest, **credentials: object) -> None:
        """Refuse any password of an account, on every page, after too many wrong ones from one network."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            user = _find_user(credentials)
            if user and cache.add(f"stopped-{user.pk}", True, timeout=STOP_LOG_INTERVAL_SECONDS):
                log(instance=user, action="newsletter.sign_in_stopped", user=_get_signed_in(request))
            raise

    def authentication_failed(self, request: HttpRequest, **credentials: object) -> None:
        """Log a wrong password. Raise ValidationError after too many from one network; right passwords still work."""
        user, now = _find_user(credentials), timezone.now()
        if user:
            log(instance=user, action="newsletter.sign_in_failed", user=_get_signed_in(request))
        super().authentication_failed(request, **credentials)
        network = single_client_network(client_address_of(request))
        if increment_counter(f"failed sign-in {network}", now=now, window=FAILURE_WINDOW) > MAX_FAILURES_PER_NETWORK:
            raise self.validation_error("too_many_login_attempts")


class SessionsAdapter(DefaultUserSessionsAdapter):
    """Log the sessions that somebody ends on their own page."""

    @transaction.atomic
    def end_sessions(self, sessions: Iterable[UserSession]) -> None:
        ended = list(sessions)
        super().end_sessions(ended)
        for person in {session.user for session in ended}:
            count = sum(session.user == person for session in ended)
            log(instance=person, action="newsletter.session_ended", user=person, data={"sessions": count})


class MFAAdapter(DefaultMFAAdapter):
    """Encrypt the secrets of authenticator apps and the recovery codes with the secret key."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _(
            "This code is wrong, too old or used already. Enter the code that your app shows now, or wait for the next one."
        ),
    }

    def get_totp_issuer(self) -> str:
        return "Newsletter"

    def encrypt(self, text: str) -> str:
        return _fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _fernet().decrypt(encrypted_text.encode()).decode()


def is_recent(request: HttpRequest) -> bool:
    """Return True if the session began during the last ten minutes."""
    return bool(timezone.now().timestamp() - request.session.get(BEGAN_KEY, 0) < RECENT_SIGN_IN_SECONDS)


def _read_username(credentials: Mapping[str, object]) -> str:
    return str(credentials.get("username") or credentials.get("email") or "").strip().lower()


def _find_user(credentials: Mapping[str, object]) -> User | None:
    return User.objects.filter(username=_read_username(credentials)).first()


def _get_signed_in(request: HttpRequest) -> User | None:
    """Return the user who is asked for the password again, or None at sign-in."""
    return request.user if isinstance(request.user, User) else None


def _fernet() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"mfa:" + k.encode()).digest())) for k in keys])


def remember_browser(response: HttpResponse, *, user: User) -> None:
    """Set the cookie with which this browser's attempts are counted separately for this account."""
    response.set_signed_cookie(
        _cookie_name(user),
        secrets.token_urlsafe(16),
        salt=_salt(user),
        max_age=COOKIE_MAX_AGE,
        path="/admin/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def find_known_browser(request: HttpRequest, *, user: User) -> str | None:
    """Return the browser's identifier if this account has signed in there within `COOKIE_MAX_AGE`."""
    return request.get_signed_cookie(_cookie_name(user), default=None, salt=_salt(user), max_age=COOKIE_MAX_AGE)


def _cookie_name(user: User) -> str:
    return f"known_browser_{user.pk}"


def _salt(user: User) -> str:
    return f"{SALT}.{user.pk}"
