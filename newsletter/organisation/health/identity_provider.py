"""Try the identity provider with which staff sign in: its discovery, its keys, and this desk's client ID and secret."""

from collections.abc import Iterator

from django.conf import settings
from django.urls import reverse

from newsletter.identity_provider.discovery import Discovery, discover
from newsletter.identity_provider.errors import BrokenSignIn, IssuerUnavailable
from newsletter.identity_provider.issuer_http import get_json
from newsletter.identity_provider.settings import ADMINISTRATORS, WELL_KNOWN, IdentityProvider, get_identity_provider
from newsletter.identity_provider.tokens import exchange_code
from newsletter.organisation.accounts.administrators import has_way_back
from newsletter.sending.deliverability.findings import Finding, error, ok, warning

_CHECK, _NO_CODE = "identity provider", "newsletter-doctor"


def check_identity_provider() -> Iterator[Finding]:
    """Report if staff can sign in with the identity provider. Without one, nothing is reported."""
    provider = get_identity_provider()
    if provider is None:
        return
    try:
        discovery = discover(provider, fresh=True)
        keys = get_json(discovery.jwks_uri, provider=provider).get("keys")
        refusal = _try_client(provider, discovery)
    except IssuerUnavailable as failure:
        do = (
            f"Open {provider.issuer}{WELL_KNOWN} in a browser on this machine. If it shows no JSON, correct "
            "NEWSLETTER_OIDC_ISSUER or let this machine reach it."
        )
        yield error(_CHECK, f"Nobody can sign in with {provider.name}: {failure.detail}.", do)
        return
    redirect = f"{settings.NEWSLETTER_SITE_URL}{reverse('newsletter_oidc_callback')}"
    if not keys:
        yield error(_CHECK, f"{provider.name} publishes no keys, so no sign-in can be proved.", "Tell whoever runs it.")
    elif refusal:
        do = (
            f"Compare NEWSLETTER_OIDC_CLIENT_ID and NEWSLETTER_OIDC_CLIENT_SECRET with what {provider.name} shows. The "
            f"redirect address that is registered there must be {redirect}."
        )
        yield error(_CHECK, f"{provider.name} does not accept this desk: {refusal}.", do)
    else:
        logout = f"{settings.NEWSLETTER_SITE_URL}{reverse('newsletter_oidc_logout')}"
        text = f"{provider.name} answers. The redirect address to register there is {redirect}, the address for"
        yield ok(_CHECK, f"{text} back-channel logout is {logout}.")


def check_way_back() -> Iterator[Finding]:
    """Report an installation that nobody could enter while the identity provider is down."""
    provider = get_identity_provider()
    if provider is not None and provider.passwords == ADMINISTRATORS and not has_way_back():
        text = f"No administrator has a password, so nobody gets in while {provider.name} is down."
        yield warning("way back", text, "Run: newsletter staff add EMAIL --role admin")


def _try_client(provider: IdentityProvider, discovery: Discovery) -> str:
    """Return why the client is refused, or "". A code that never existed must be the only reason."""
    try:
        exchange_code(
            provider=provider,
            discovery=discovery,
            code=_NO_CODE,
            redirect_uri=f"{settings.NEWSLETTER_SITE_URL}{reverse('newsletter_oidc_callback')}",
            verifier=_NO_CODE * 4,
        )
    except BrokenSignIn as failure:
        return failure.detail if "_client" in failure.detail else ""
    return ""
