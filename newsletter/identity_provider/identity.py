"""Read the claims of an identity token: who it is, whether the address is verified, groups, and the second factor."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from newsletter.common.text import clean_line
from newsletter.identity_provider.issuer_http import make_nonsense
from newsletter.identity_provider.settings import IdentityProvider, is_in

MAX_SUBJECT_LENGTH = 191
MAX_NAME_LENGTH = 150
MAX_EMAIL_LENGTH = 300
_VERIFIED_AS_TEXT = "true"
_MICROSOFT = "login.microsoftonline.com"
_MICROSOFT_VERIFIED = "xms_edov"


@dataclass(frozen=True)
class Identity:
    """A person as the identity provider knows them. ``subject`` never changes; the address may."""

    subject: str
    email: str
    email_verified: bool
    first_name: str
    last_name: str
    groups: frozenset[str]
    second_factor: bool


def read_identity(claims: Mapping[str, object], *, provider: IdentityProvider) -> Identity:
    """Return the identity. Raises IssuerUnavailable if there is no usable subject."""
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT_LENGTH or not subject.isprintable():
        raise make_nonsense(provider, detail="sub is missing, too long or not printable")
    email = _text(claims, "email", max_length=MAX_EMAIL_LENGTH)
    methods = claims.get("amr")
    return Identity(
        subject=subject,
        email=email,
        email_verified=_is_verified(claims, email, provider=provider),
        first_name=_text(claims, "given_name", max_length=MAX_NAME_LENGTH),
        last_name=_text(claims, "family_name", max_length=MAX_NAME_LENGTH),
        groups=frozenset(_read_groups(claims, provider.role_claim)),
        second_factor=isinstance(methods, list) and any(method in provider.second_factors for method in methods),
    )


def needs_more(claims: Mapping[str, object], *, provider: IdentityProvider) -> bool:
    """Return True if the identity token alone does not say what is needed."""
    claim_names = ["email", "email_verified", *([provider.role_claim] if provider.role_claim else [])]
    return any(_find(claims, name) is None for name in claim_names)


def merge(claims: Mapping[str, object], more: Mapping[str, object]) -> dict[str, object]:
    """Add the claims of the user info. Signed claims win. Only the source that names the address can verify it."""
    merged = {**more, **claims}
    source = claims if "email" in claims else more
    if "email_verified" not in source and not (source is claims and more.get("email") == claims["email"]):
        merged.pop("email_verified", None)
    elif source is more:
        merged["email_verified"] = more["email_verified"]
    return merged


def _is_verified(claims: Mapping[str, object], email: str, *, provider: IdentityProvider) -> bool:
    """Return True if the issuer says so, or if it says nothing and the settings trust its addresses of this domain.

    Microsoft has a claim of its own, which says that the owner of the address's domain is verified.
    """
    verified = claims.get("email_verified")
    if verified is None and urlsplit(provider.issuer).hostname == _MICROSOFT:
        verified = claims.get(_MICROSOFT_VERIFIED)
        verified = True if verified in (1, "1") else verified
    if verified is None:
        return is_in(email, provider.trusted_domains)
    return verified is True or (isinstance(verified, str) and verified.lower() == _VERIFIED_AS_TEXT)


def _read_groups(claims: Mapping[str, object], name: str) -> list[str]:
    """Return the values of a claim that is a text or a list of texts."""
    value = _find(claims, name) if name else None
    if isinstance(value, str):
        return [value]
    return [group for group in value if isinstance(group, str)] if isinstance(value, list) else []


def _find(claims: Mapping[str, object], name: str) -> object:
    """Return a claim by its name, or by a path with dots such as ``realm_access.roles``."""
    if name in claims:
        return claims[name]
    here: object = claims
    for part in name.split("."):
        here = here.get(part) if isinstance(here, Mapping) else None
    return here


def _text(claims: Mapping[str, object], name: str, *, max_length: int) -> str:
    """Return one printable line, which every database keeps."""
    value = claims.get(name)
    return clean_line(value, max_length=max_length) if isinstance(value, str) else ""
