"""Adapters of django-allauth: no sign-up, limits on wrong passwords, encrypted secrets, and entries in the staff log."""

import base64
import hashlib
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
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.log_actions import log

from newsletter.common.networks import single_client_network
from newsletter.desk.staff.known_browsers import find_known_browser, remember_browser
from newsletter.desk.staff.second_factor import BEGAN_KEY, begin_session
from subscribers.consent.throttle import increment_counter
from subscribers.web.page import client_address_of

RECENT_SIGN_IN_SECONDS = 600
STOP_LOG_INTERVAL_SECONDS = 300
MAX_FAILURES_PER_NETWORK = 60
FAILURE_WINDOW = timedelta(minutes=5)


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

    def is_reauthentication_required(self, *, app: str, **kwargs: object) -> bool:
        """Return False for somebody who signed in during the last ten minutes."""
        began = self.request.session.get(BEGAN_KEY, 0) if self.request else 0
        if timezone.now().timestamp() - began < RECENT_SIGN_IN_SECONDS:
            return False
        return bool(super().is_reauthentication_required(app=app, **kwargs))

    def post_login(self, request: HttpRequest, user: User, **kwargs: object) -> HttpResponse:
        begin_session(request, now=timezone.now())
        log(instance=user, action="newsletter.signed_in", user=user)
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

    def end_sessions(self, sessions: Iterable[UserSession]) -> None:
        ended = list(sessions)
        super().end_sessions(ended)
        for person in {session.user for session in ended}:
            count = sum(session.user == person for session in ended)
            log(instance=person, action="newsletter.session_ended", user=person, data={"sessions": count})


class MFAAdapter(DefaultMFAAdapter):
    """Encrypt the secrets of authenticator apps and the recovery codes with the secret key."""

    def get_totp_issuer(self) -> str:
        return "Newsletter"

    def encrypt(self, text: str) -> str:
        return _fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _fernet().decrypt(encrypted_text.encode()).decode()


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
