"""Find the identity provider's addresses by OpenID Connect Discovery, and check that they are usable."""

import hashlib
from dataclasses import asdict, dataclass

from django.core.cache import cache

from newsletter.content.fetching.errors import Refused
from newsletter.content.fetching.url_guard import check_url
from newsletter.identity_provider.issuer_http import get_json, make_nonsense
from newsletter.identity_provider.settings import WELL_KNOWN, IdentityProvider

CACHE_SECONDS = 300


@dataclass(frozen=True)
class Discovery:
    """The addresses that the issuer names. ``posts_secret`` is False if the client's secret goes into a header."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str
    posts_secret: bool


def discover(provider: IdentityProvider, *, fresh: bool = False) -> Discovery:
    """Return what the issuer says about itself, at most five minutes old unless ``fresh``. Raises IssuerUnavailable."""
    key = f"oidc-discovery-{hashlib.sha256(provider.issuer.encode()).hexdigest()[:32]}"
    cached = None if fresh else cache.get(key)
    if isinstance(cached, dict):
        return Discovery(**cached)
    discovery = read_discovery(get_json(f"{provider.issuer}{WELL_KNOWN}", provider=provider), provider=provider)
    cache.set(key, asdict(discovery), timeout=CACHE_SECONDS)
    return discovery


def read_discovery(document: dict[str, object], *, provider: IdentityProvider) -> Discovery:
    """Return the checked document. Raises IssuerUnavailable."""
    issuer = document.get("issuer")
    if not isinstance(issuer, str) or issuer.rstrip("/") != provider.issuer:
        detail = f"NEWSLETTER_OIDC_ISSUER is {provider.issuer}, and the issuer there calls itself {issuer}"
        raise make_nonsense(provider, detail=detail)
    names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    addresses = {name: _read_address(document, name, provider=provider) for name in names}
    userinfo = "userinfo_endpoint"
    methods = document.get("token_endpoint_auth_methods_supported")
    return Discovery(
        issuer=issuer,
        **addresses,
        userinfo_endpoint=_read_address(document, userinfo, provider=provider) if document.get(userinfo) else "",
        posts_secret=isinstance(methods, list)
        and "client_secret_post" in methods
        and "client_secret_basic" not in methods,
    )


def _read_address(document: dict[str, object], name: str, *, provider: IdentityProvider) -> str:
    """Return a web address of the document, secure unless the issuer itself is not."""
    value = document.get(name)
    try:
        parts = check_url(value if isinstance(value, str) else "")
    except Refused as error:
        raise make_nonsense(provider, detail=f"discovery: {name} is no web address") from error
    if provider.issuer.startswith("https:") and parts.scheme != "https":
        raise make_nonsense(provider, detail=f"discovery: {name} does not begin with https")
    return str(value)
