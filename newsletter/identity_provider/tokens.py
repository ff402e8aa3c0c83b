"""Exchange the code of a sign-in for tokens, and check the identity token as OpenID Connect Core 3.1.3.7 asks."""

import hmac
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

import jwt

from newsletter.identity_provider.discovery import Discovery
from newsletter.identity_provider.errors import BadIdentityToken, BrokenSignIn
from newsletter.identity_provider.issuer_http import get_json, make_nonsense, post_for_json
from newsletter.identity_provider.settings import IdentityProvider

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures with a key pair. One made with the client's secret is refused: whoever knows the secret could make it."""
LEEWAY_SECONDS = 60
MAX_AUTHENTICATION_AGE_SECONDS = 600
_REQUIRED = ["iss", "sub", "aud", "exp", "iat"]


def exchange_code(
    *, provider: IdentityProvider, discovery: Discovery, code: str, redirect_uri: str, verifier: str
) -> dict[str, object]:
    """Return the answer with the tokens. Raises IssuerUnavailable and BrokenSignIn."""
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    headers = {"Accept": "application/json"}
    if provider.client_secret and not discovery.posts_secret:
        headers["Authorization"] = _basic(provider)
    else:
        fields["client_id"] = provider.client_id
        if provider.client_secret:
            fields["client_secret"] = provider.client_secret
    status, answer = post_for_json(discovery.token_endpoint, fields, provider=provider, headers=headers)
    error = answer.get("error")
    if status == 200 and not error:
        return answer
    if error == "invalid_grant":
        raise BrokenSignIn(
            "This sign-in took too long or was used before, so you are not signed in. Sign in again.", code="code_used"
        )
    raise BrokenSignIn(
        "%(name)s does not accept this desk, so you are not signed in. Tell an administrator: the staff log says why.",
        name=provider.name,
        code="client_refused",
        detail=f"status {status}, {error}",
    )


def verify_identity_token(
    *, provider: IdentityProvider, discovery: Discovery, answer: dict[str, object]
) -> dict[str, object]:
    """Return the claims of the token, if it is signed by the issuer for this desk. `check_sign_in` must follow.

    Raises BadIdentityToken and IssuerUnavailable.
    """
    token = answer.get("id_token")
    if not isinstance(token, str):
        raise make_nonsense(provider, detail="the answer with the tokens has no id_token")
    keys = get_json(discovery.jwks_uri, provider=provider)
    try:
        claims: dict[str, object] = jwt.decode(
            token,
            find_key(token, keys),
            algorithms=ALGORITHMS,
            audience=provider.client_id,
            issuer=discovery.issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": _REQUIRED},
        )
    except jwt.InvalidAudienceError as error:
        raise _for_another(provider, code="audience", detail=str(error)) from error
    except jwt.ExpiredSignatureError as error:
        raise BadIdentityToken(
            "The sign-in of %(name)s has expired, so you are not signed in. Sign in again. If it stays like this, tell an "
            "administrator that the clock of one of the two machines is wrong.",
            name=provider.name,
            code="expired",
        ) from error
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise BadIdentityToken(
            "It could not be proved that the answer comes from %(name)s, so you are not signed in. Sign in again. If it "
            "stays like this, tell an administrator: the staff log says what was wrong.",
            name=provider.name,
            code="token",
            detail=f"{type(error).__name__}: {error}",
        ) from error
    if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != provider.client_id:
        raise _for_another(provider, code="audience", detail="azp")
    return claims


def check_sign_in(
    claims: Mapping[str, object], *, provider: IdentityProvider, nonce: str, again: bool, now: datetime
) -> None:
    """Raise BadIdentityToken if the token answers another sign-in, or if the person was not asked ``again``."""
    if not nonce or not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise _for_another(provider, code="nonce")
    asked_at = claims.get("auth_time")
    if again and isinstance(asked_at, int | float) and now.timestamp() - asked_at > MAX_AUTHENTICATION_AGE_SECONDS:
        raise BadIdentityToken(
            "%(name)s did not ask you to sign in again, so nothing was confirmed. Sign out there, then try again.",
            name=provider.name,
            code="not_asked_again",
        )


def fetch_user_info(
    *, provider: IdentityProvider, discovery: Discovery, answer: dict[str, object], subject: object
) -> dict[str, object]:
    """Return further claims of the same person. Raises IssuerUnavailable and BadIdentityToken."""
    token = answer.get("access_token")
    if not discovery.userinfo_endpoint or not isinstance(token, str) or not token.isascii() or not token.isprintable():
        return {}
    claims = get_json(discovery.userinfo_endpoint, provider=provider, bearer=token)
    if claims.get("sub") != subject:
        raise _for_another(provider, code="subject")
    return claims


def find_key(token: str, keys: dict[str, object]) -> jwt.PyJWK:
    """Return the issuer's key that the token names, or the only one that fits. Raises PyJWTError."""
    header = jwt.get_unverified_header(token)
    if header.get("alg") not in ALGORITHMS:
        raise jwt.InvalidAlgorithmError(f"signed with {str(header.get('alg'))[:20]}")
    listed = keys.get("keys")
    matching = [
        key
        for key in (listed if isinstance(listed, list) else [])
        if isinstance(key, dict)
        and key.get("use", "sig") == "sig"
        and key.get("kid") == header.get("kid", key.get("kid"))
    ]
    for key in matching:
        try:
            return jwt.PyJWK(key, algorithm=header["alg"])
        except jwt.PyJWTError:
            continue
    raise jwt.InvalidKeyError("none of the issuer's keys fits")


def _for_another(provider: IdentityProvider, *, code: str, detail: str = "") -> BadIdentityToken:
    return BadIdentityToken(
        "The answer of %(name)s was made for another program or another sign-in, so you are not signed in. Sign in "
        "again. If it stays like this, tell an administrator.",
        name=provider.name,
        code=code,
        detail=detail,
    )


def _basic(provider: IdentityProvider) -> str:
    """Return the header of RFC 6749 2.3.1, with both parts encoded as a form."""
    pair = f"{quote(provider.client_id, safe='')}:{quote(provider.client_secret, safe='')}"
    return f"Basic {b64encode(pair.encode()).decode()}"
