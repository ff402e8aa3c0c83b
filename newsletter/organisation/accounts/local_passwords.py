"""Decide who may sign in with a password of this installation, beside the identity provider."""

from django.contrib.auth.models import User

from newsletter.identity_provider.settings import EVERYONE, get_identity_provider
from newsletter.organisation.accounts.administrators import list_administrators


def may_use_password(person: User) -> bool:
    """Return True if a password lets this person in: everybody, or administrators only if the settings say so."""
    provider = get_identity_provider()
    if provider is None or provider.passwords == EVERYONE:
        return True
    return list_administrators().filter(pk=person.pk).exists()


def has_password(person: User) -> bool:
    """Return True if this person has a password that lets them in."""
    return bool(person.has_usable_password()) and may_use_password(person)


def has_way_back() -> bool:
    """Return True if an administrator has a password, and so gets in while the identity provider is down."""
    return any(person.has_usable_password() for person in list_administrators())
