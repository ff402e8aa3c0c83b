"""django-allauth's OpenID Connect flow, with a nonce, signatures that are always checked, and time limits."""

import secrets

from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from newsletter.identity_provider.discovery import Discovery, discover
from newsletter.identity_provider.identity import Identity, merge, needs_more, read_identity
from newsletter.identity_provider.settings import IdentityProvider
from newsletter.identity_provider.tokens import exchange_code, fetch_user_info, verify_identity_token

GOOGLE = "https://accounts.google.com"


class DeskOAuth2Adapter(OpenIDConnectOAuth2Adapter):
    """Ask the identity provider through `newsletter.identity_provider`, which raises SignInRefused."""

    def __init__(self, request: HttpRequest, *, provider: IdentityProvider) -> None:
        self.settings = provider
        self.identity: Identity | None = None
        super().__init__(request, provider.issuer)

    def get_provider(self) -> "DeskProvider":
        return make_provider(self.request, self.settings)

    @property
    def discovery(self) -> Discovery:
        return discover(self.settings)

    @property
    def openid_config(self) -> dict[str, str]:
        discovery = self.discovery
        return {
            "issuer": discovery.issuer,
            "authorization_endpoint": discovery.authorization_endpoint,
            "token_endpoint": discovery.token_endpoint,
        }

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return make_callback_url()

    def get_access_token_data(
        self, request: HttpRequest, app: SocialApp, client: object, pkce_code_verifier: str | None = None
    ) -> dict[str, object]:
        answer = exchange_code(
            provider=self.settings,
            discovery=self.discovery,
            code=request.GET.get("code", ""),
            redirect_uri=make_callback_url(),
            verifier=pkce_code_verifier or "",
        )
        self.did_fetch_access_token = True
        return answer

    def parse_token(self, data: dict[str, object]) -> object:
        """Keep no token: the desk asks the identity provider nothing later."""
        return super().parse_token({"access_token": ""})

    def complete_login(
        self, request: HttpRequest, app: SocialApp, token: object, **kwargs: dict[str, object]
    ) -> SocialLogin:
        answer = kwargs["response"]
        provider, discovery = self.settings, self.discovery
        claims = verify_identity_token(provider=provider, discovery=discovery, answer=answer)
        if needs_more(claims, provider=provider):
            more = fetch_user_info(provider=provider, discovery=discovery, answer=answer, subject=claims["sub"])
            claims = merge(claims, more)
        self.identity = identity = read_identity(claims, provider=provider)
        login = self.get_provider().sociallogin_from_response(request, {"sub": identity.subject})
        login.identity, login.claims = identity, claims
        return login


class DeskProvider(OpenIDConnectProvider):
    """The identity provider of the settings."""

    def __init__(self, request: HttpRequest, *, settings: IdentityProvider) -> None:
        self.settings = settings
        super().__init__(request, app=make_app(settings))

    def get_oauth2_adapter(self, request: HttpRequest) -> DeskOAuth2Adapter:
        return DeskOAuth2Adapter(request, provider=self.settings)

    def extract_extra_data(self, data: object) -> dict[str, object]:
        """Store no claims: the desk has the data that it needs in its own account."""
        return {}

    def begin(self, request: HttpRequest, *, next_url: str | None, again: bool) -> HttpResponse:
        """Redirect to the identity provider. ``again`` makes it ask for the sign-in there even if there is one."""
        nonce = secrets.token_urlsafe(32)
        params = {"nonce": nonce, **(ask_again(self.settings) if again else {})}
        response: HttpResponse = self.redirect(
            request, AuthProcess.LOGIN, next_url=next_url, auth_params=params, nonce=nonce, again=again
        )
        return response


def ask_again(provider: IdentityProvider) -> dict[str, str]:
    """Return the parameters that make the provider ask again. Google knows no other way than the choice of an account."""
    return {"prompt": "select_account"} if provider.issuer == GOOGLE else {"prompt": "login", "max_age": "0"}


def make_provider(request: HttpRequest, provider: IdentityProvider) -> DeskProvider:
    return DeskProvider(request, settings=provider)


def make_app(provider: IdentityProvider) -> SocialApp:
    """Return an unsaved row, as django-allauth makes it of its own settings."""
    return SocialApp(
        provider=OpenIDConnectProvider.id,
        provider_id=provider.issuer,
        name=provider.name,
        client_id=provider.client_id,
        secret=provider.client_secret,
        settings={"server_url": provider.issuer, "oauth_pkce_enabled": True, "scope": list(provider.scopes)},
    )


def make_callback_url() -> str:
    """Return the address that is registered with the identity provider."""
    return f"{settings.NEWSLETTER_SITE_URL}{reverse('newsletter_oidc_callback')}"
