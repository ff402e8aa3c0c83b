"""Read the settings of the identity provider with which staff sign in."""

from urllib.parse import urlsplit

from newsletter.common.networks import is_loopback
from newsletter.identity_provider.settings import (
    ADMINISTRATORS,
    EVERYONE,
    SCOPES,
    SECOND_FACTORS,
    WELL_KNOWN,
    IdentityProvider,
)
from newsletter.organisation.accounts.roles import ROLES
from newsletter.project.setting_values import read_mailable, read_text, read_words
from newsletter.project.settings_file import BadSetting

MAX_ISSUER_LENGTH = 200
NAMES = {"accounts.google.com": "Google", "login.microsoftonline.com": "Microsoft"}
NOTHING = "none"
_ISSUER = "NEWSLETTER_OIDC_ISSUER"
_OTHERS = (
    "NEWSLETTER_OIDC_CLIENT_ID",
    "NEWSLETTER_OIDC_CLIENT_SECRET",
    "NEWSLETTER_OIDC_NAME",
    "NEWSLETTER_OIDC_SCOPES",
    "NEWSLETTER_OIDC_DOMAINS",
    "NEWSLETTER_OIDC_PEOPLE",
    "NEWSLETTER_OIDC_TRUSTED_DOMAINS",
    "NEWSLETTER_OIDC_NEW_ROLE",
    "NEWSLETTER_OIDC_ROLE_CLAIM",
    "NEWSLETTER_OIDC_ROLES",
    "NEWSLETTER_OIDC_SECOND_FACTORS",
    "NEWSLETTER_OIDC_PASSWORDS",
)


def read_oidc() -> IdentityProvider:
    """Return the identity provider; without an issuer, sign-in with it is off. Raises BadSetting."""
    issuer = _read_issuer()
    if not issuer:
        for name in _OTHERS:
            if read_text(name, ""):
                raise BadSetting(name, f"{name} has no effect without {_ISSUER}. Set the issuer too, or remove it.")
        return IdentityProvider()
    provider = IdentityProvider(
        issuer=issuer,
        client_id=read_text("NEWSLETTER_OIDC_CLIENT_ID", ""),
        client_secret=read_text("NEWSLETTER_OIDC_CLIENT_SECRET", ""),
        name=read_text("NEWSLETTER_OIDC_NAME", _name_of(issuer)),
        scopes=_read_scopes(),
        domains=_read_domains("NEWSLETTER_OIDC_DOMAINS"),
        people=_read_people(),
        trusted_domains=_read_domains("NEWSLETTER_OIDC_TRUSTED_DOMAINS"),
        new_role=read_text("NEWSLETTER_OIDC_NEW_ROLE", ""),
        role_claim=read_text("NEWSLETTER_OIDC_ROLE_CLAIM", ""),
        roles=_read_roles(),
        second_factors=_read_second_factors(),
        passwords=read_text("NEWSLETTER_OIDC_PASSWORDS", EVERYONE),
    )
    _check(provider)
    return provider


def _check(provider: IdentityProvider) -> None:
    """Raise BadSetting for settings that contradict one another."""
    if not provider.client_id:
        raise BadSetting(
            "NEWSLETTER_OIDC_CLIENT_ID",
            f"NEWSLETTER_OIDC_CLIENT_ID is not set. {provider.name} names it where you registered the desk.",
        )
    if provider.passwords not in (EVERYONE, ADMINISTRATORS):
        raise BadSetting(
            "NEWSLETTER_OIDC_PASSWORDS",
            f"NEWSLETTER_OIDC_PASSWORDS is “{provider.passwords[:20]}”. Write {EVERYONE} or {ADMINISTRATORS}.",
        )
    if bool(provider.role_claim) != bool(provider.roles):
        raise BadSetting(
            "NEWSLETTER_OIDC_ROLE_CLAIM" if provider.role_claim else "NEWSLETTER_OIDC_ROLES",
            "NEWSLETTER_OIDC_ROLE_CLAIM and NEWSLETTER_OIDC_ROLES need each other: one names the claim, the other says "
            "which of its values gives which role. Set both, or neither.",
        )
    if not provider.new_role:
        return
    roles = [role for role in ROLES if role != "admin"]
    if provider.new_role not in roles:
        raise BadSetting(
            "NEWSLETTER_OIDC_NEW_ROLE",
            f"NEWSLETTER_OIDC_NEW_ROLE is “{provider.new_role[:20]}”. Write one of: {', '.join(roles)}.",
        )
    if not provider.domains and not provider.people:
        raise BadSetting(
            "NEWSLETTER_OIDC_NEW_ROLE",
            "NEWSLETTER_OIDC_NEW_ROLE would give an account to everybody who has one at the identity provider. Say in "
            "NEWSLETTER_OIDC_DOMAINS or NEWSLETTER_OIDC_PEOPLE who may enter.",
        )
    if provider.role_claim:
        raise BadSetting(
            "NEWSLETTER_OIDC_NEW_ROLE",
            "NEWSLETTER_OIDC_NEW_ROLE has no effect beside NEWSLETTER_OIDC_ROLE_CLAIM. Remove one of them.",
        )


def _read_issuer() -> str:
    """Return the issuer without the path of its configuration."""
    issuer = read_text(_ISSUER, "").removesuffix(WELL_KNOWN).rstrip("/")
    if not issuer:
        return ""
    try:
        parts = urlsplit(issuer)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    secure = parts.scheme == "https" or (parts.scheme == "http" and host is not None and is_loopback(host))
    if not secure or not host or parts.query or parts.fragment or "@" in parts.netloc:
        raise BadSetting(
            _ISSUER,
            f"{_ISSUER} is “{issuer[:80]}”. Write the address of the issuer, such as https://accounts.google.com.",
        )
    if len(issuer) > MAX_ISSUER_LENGTH:
        raise BadSetting(_ISSUER, f"{_ISSUER} is longer than {MAX_ISSUER_LENGTH} characters. Copy the issuer again.")
    return issuer


def _name_of(issuer: str) -> str:
    host = urlsplit(issuer).hostname or ""
    return NAMES.get(host, host)


def _read_scopes() -> tuple[str, ...]:
    """Return the scopes; openid is always one of them."""
    scopes = read_text("NEWSLETTER_OIDC_SCOPES", " ".join(SCOPES)).replace(",", " ").split()
    return tuple(dict.fromkeys(["openid", *scopes]))


def _read_domains(name: str) -> tuple[str, ...]:
    domains = [text.lstrip("@").lower() for text in read_mailable(name)]
    for text in domains:
        if "@" in text:
            raise BadSetting(name, f"{name}: “{text}” is an address. Write domains only, such as example.org.")
    return tuple(domains)


def _read_people() -> tuple[str, ...]:
    addresses = [text.lower() for text in read_mailable("NEWSLETTER_OIDC_PEOPLE")]
    for text in addresses:
        if "@" not in text.lstrip("@"):
            raise BadSetting(
                "NEWSLETTER_OIDC_PEOPLE",
                f"NEWSLETTER_OIDC_PEOPLE: “{text}” is no address. Domains belong in NEWSLETTER_OIDC_DOMAINS.",
            )
    return tuple(addresses)


def _read_roles() -> tuple[tuple[str, str], ...]:
    """Return pairs of a claim's value and a role. The value may contain “=”, the role does not."""
    pairs = []
    for text in read_words("NEWSLETTER_OIDC_ROLES"):
        value, _, role = (part.strip() for part in text.rpartition("="))
        if not value or role not in ROLES:
            raise BadSetting(
                "NEWSLETTER_OIDC_ROLES",
                f"NEWSLETTER_OIDC_ROLES: “{text[:80]}” is not understood. Write VALUE=ROLE, separated by commas. The roles "
                f"are {', '.join(ROLES)}.",
            )
        pairs.append((value, role))
    return tuple(pairs)


def _read_second_factors() -> tuple[str, ...]:
    methods = tuple(read_words("NEWSLETTER_OIDC_SECOND_FACTORS"))
    return () if methods == (NOTHING,) else methods or SECOND_FACTORS
