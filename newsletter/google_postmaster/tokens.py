"""Exchange Google's key for an access token that may read the figures, and nothing else (RFC 7523, RFC 6749 §6)."""

from collections.abc import Sequence
from datetime import datetime

import jwt

from newsletter.google_postmaster.figures import FigureFailure, FiguresUnavailable
from newsletter.google_postmaster.google_http import (
    is_clock_wrong,
    make_refusal,
    make_unreadable,
    post_fields,
    read_object,
)
from newsletter.google_postmaster.key_file import AuthorisedUser, GoogleKey, ServiceAccount
from newsletter.google_postmaster.settings import name_host

SCOPE = "https://www.googleapis.com/auth/postmaster.traffic.readonly"
LIFETIME_SECONDS = 600
_FAILURES = {
    "invalid_grant": FigureFailure.KEY_REFUSED,
    "invalid_client": FigureFailure.KEY_REFUSED,
    "deleted_client": FigureFailure.KEY_REFUSED,
    "unauthorized_client": FigureFailure.PERSON_REFUSED,
    "access_denied": FigureFailure.PERSON_REFUSED,
    "invalid_scope": FigureFailure.SCOPE_MISSING,
}


def fetch_token(key: GoogleKey, *, person: str, now: datetime, allow: Sequence[str] = ()) -> str:
    """Return an access token. ``person`` is the user whom a service account impersonates, or "". Raises FiguresUnavailable."""
    fields = _authorise_user(key) if isinstance(key, AuthorisedUser) else _sign(key, person=person, now=now)
    own_host = [name_host(key.token_url)] if key.token_url.startswith("http:") else []
    answer = post_fields(key.token_url, fields, allow=[*allow, *own_host])
    if answer.status == 200:
        token = read_object(answer.body, url=key.token_url).get("access_token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
            raise make_unreadable(key.token_url, "no access token")
        return token
    if answer.status not in (400, 401, 403):
        raise make_refusal(answer.status, answer.body, url=key.token_url)
    error = read_object(answer.body, url=key.token_url).get("error")
    if isinstance(key, ServiceAccount) and error == "invalid_grant" and is_clock_wrong(answer, now=now):
        raise FiguresUnavailable(FigureFailure.CLOCK, "Google's clock says %(date)s.", date=answer.date)
    failure = _FAILURES.get(error, FigureFailure.KEY_REFUSED) if isinstance(error, str) else FigureFailure.KEY_REFUSED
    raise FiguresUnavailable(failure, "%(url)s refused the key: %(error)s.", url=key.token_url, error=str(error)[:80])


def _authorise_user(key: AuthorisedUser) -> dict[str, str]:
    return {
        "grant_type": "refresh_token",
        "client_id": key.client_id,
        "client_secret": key.client_secret,
        "refresh_token": key.refresh_token,
    }


def _sign(key: ServiceAccount, *, person: str, now: datetime) -> dict[str, str]:
    at = int(now.timestamp())
    claims: dict[str, object] = {
        "iss": key.email,
        "scope": SCOPE,
        "aud": key.token_url,
        "iat": at,
        "exp": at + LIFETIME_SECONDS,
    }
    if person:
        claims["sub"] = person
    try:
        signed = jwt.encode(
            claims, key.private_key, algorithm="RS256", headers={"kid": key.key_id} if key.key_id else {}
        )
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise FiguresUnavailable(FigureFailure.KEY_FILE, "The private key in the key file cannot be used.") from error
    return {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": signed}
