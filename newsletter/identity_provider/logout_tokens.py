"""Check the logout tokens with which the identity provider ends sessions: OpenID Connect Back-Channel Logout 1.0, 2.6.

Whether a token was used before is not known here.
"""

from dataclasses import dataclass
from datetime import datetime

import jwt

from newsletter.identity_provider.discovery import discover
from newsletter.identity_provider.errors import IssuerUnavailable, LogoutRefused
from newsletter.identity_provider.identity import MAX_SUBJECT_LENGTH
from newsletter.identity_provider.issuer_http import get_json
from newsletter.identity_provider.settings import IdentityProvider
from newsletter.identity_provider.tokens import ALGORITHMS, LEEWAY_SECONDS, find_key

EVENT = "http://schemas.openid.net/event/backchannel-logout"
MAX_AGE_SECONDS = 300
_TYPES = ("logout+jwt", "jwt")
_REQUIRED = ["iss", "aud", "iat", "exp", "jti", "events"]


@dataclass(frozen=True)
class Logout:
    """A genuine logout token. ``subject`` is the person at the provider, ``token_id`` is never used again."""

    subject: str
    token_id: str


def verify_logout_token(token: str, *, provider: IdentityProvider, now: datetime) -> Logout:
    """Return what the provider asks for, if the token is signed by it for this desk. Raises LogoutRefused."""
    try:
        keys = get_json(discover(provider).jwks_uri, provider=provider)
    except IssuerUnavailable as error:
        raise LogoutRefused(
            "%(name)s does not answer, so the token cannot be checked. Send it again later.",
            name=provider.name,
            code=error.code,
            detail=error.detail,
        ) from error
    claims = _read_claims(token, keys, provider=provider)
    if now.timestamp() - float(str(claims["iat"])) > MAX_AGE_SECONDS + LEEWAY_SECONDS:
        raise _refuse(provider, "it is older than five minutes", code="expired")
    events = claims["events"]
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        raise _refuse(provider, "it is no logout token", code="events")
    if "nonce" in claims:
        raise _refuse(provider, "it has a nonce, as only identity tokens have", code="nonce")
    subject, token_id = claims.get("sub"), claims["jti"]
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT_LENGTH or not subject.isprintable():
        raise _refuse(provider, "it does not name the person with sub", code="subject")
    if not isinstance(token_id, str) or not token_id:
        raise _refuse(provider, "its jti is no text", code="token")
    return Logout(subject, token_id)


def _read_claims(token: str, keys: dict[str, object], *, provider: IdentityProvider) -> dict[str, object]:
    try:
        kind = jwt.get_unverified_header(token).get("typ", _TYPES[0])
        if not isinstance(kind, str) or kind.lower() not in _TYPES:
            raise jwt.InvalidTokenError(f"typ is {str(kind)[:40]}")
        claims: dict[str, object] = jwt.decode(
            token,
            find_key(token, keys),
            algorithms=ALGORITHMS,
            audience=provider.client_id,
            issuer=discover(provider).issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": _REQUIRED},
        )
    except jwt.ExpiredSignatureError as error:
        raise _refuse(provider, "it has expired", code="expired") from error
    except jwt.InvalidAudienceError as error:
        raise _refuse(provider, "it was made for another program", code="audience") from error
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise _refuse(provider, f"{type(error).__name__}: {error}", code="token") from error
    return claims


def _refuse(provider: IdentityProvider, why: str, *, code: str) -> LogoutRefused:
    return LogoutRefused(
        "This is no usable logout token of %(name)s: %(why)s. No session was ended.",
        name=provider.name,
        why=why,
        code=code,
        detail=why,
    )
