"""The settings of the identity provider, as `NEWSLETTER_OIDC_…` gives them."""

from dataclasses import dataclass, field, fields
from urllib.parse import urlsplit

from django.conf import settings

WELL_KNOWN = "/.well-known/openid-configuration"
"""The path of the document in which an issuer names its addresses."""
SCOPES = ("openid", "email", "profile")
SECOND_FACTORS = ("mfa", "otp", "hwk", "sc", "fpt", "face", "iris", "retina", "vbm")
"""Methods of RFC 8176 that are a second factor, or a key that a person unlocks. Passwords and text messages are none."""
EVERYONE, ADMINISTRATORS = "everyone", "administrators"


@dataclass(frozen=True)
class IdentityProvider:
    """One identity provider. Without an issuer, sign-in with it is off.

    ``roles`` maps values of the claim ``role_claim`` to roles. ``passwords`` says who may sign in with a local password.
    """

    issuer: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    name: str = ""
    scopes: tuple[str, ...] = SCOPES
    domains: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    trusted_domains: tuple[str, ...] = ()
    new_role: str = ""
    role_claim: str = ""
    roles: tuple[tuple[str, str], ...] = ()
    second_factors: tuple[str, ...] = SECOND_FACTORS
    passwords: str = EVERYONE

    def by_name(self) -> dict[str, object]:
        """Return the values by the names of the settings."""
        return {f"NEWSLETTER_OIDC_{setting.name.upper()}": getattr(self, setting.name) for setting in fields(self)}

    def allows(self, address: str) -> bool:
        """Return True if the address is in an allowed domain or named, or if every address is allowed."""
        if not self.domains and not self.people:
            return True
        return is_in(address, self.domains) or address.lower() in self.people

    @property
    def host(self) -> str:
        """The issuer with its port, as the list of allowed hosts writes it."""
        parts = urlsplit(self.issuer)
        host = parts.hostname or ""
        bracketed = f"[{host}]" if ":" in host else host
        return f"{bracketed}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def is_in(address: str, domains: tuple[str, ...]) -> bool:
    """Return True if the address is in one of the domains. Subdomains are others."""
    return address.rpartition("@")[2].lower() in domains


def get_identity_provider() -> IdentityProvider | None:
    """Return the identity provider, or None if there is none."""
    provider: IdentityProvider = settings.NEWSLETTER_OIDC
    return provider if provider.issuer else None
