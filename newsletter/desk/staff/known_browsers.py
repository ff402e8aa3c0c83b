"""Recognise browsers in which a member of staff has signed in before.

Wrong passwords are counted by account and network. If all visitors share one address, anybody could lock others out.
So a signed cookie gives each known browser its own count ("device cookies", OWASP).
"""

import secrets
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse

SALT = "newsletter.known-browser"
COOKIE_MAX_AGE = timedelta(days=180)


def remember_browser(response: HttpResponse, *, user: User) -> None:
    """Set the cookie that gives this browser a count of its own for this account."""
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
