"""The administrators: the active accounts that may change staff. There is always one.

They may also sign in with a password of this installation, so that they can sign in while the identity provider is down.
"""

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from newsletter.common.errors import DomainError
from newsletter.identity_provider.settings import EVERYONE, get_identity_provider

ADMINISTRATOR = "admin"


class LastAdministrator(DomainError):
    """The change would leave nobody who can administer the desk."""


def require_administrator() -> None:
    """Raise LastAdministrator if no active account may change staff. Call it inside the transaction of a change."""
    if not list_administrators().exists():
        raise LastAdministrator(
            "Nobody would be left to look after the staff. Make somebody else an administrator first."
        )


def list_administrators() -> QuerySet[User]:
    """Return the active accounts that may change staff."""
    rights = Q(groups__name=ADMINISTRATOR) | Q(is_superuser=True)
    return User.objects.filter(rights, is_active=True).distinct()


def may_use_password(person: User) -> bool:
    """Return True if this person may sign in with a password: everybody, or only administrators by the settings."""
    provider = get_identity_provider()
    if provider is None or provider.passwords == EVERYONE:
        return True
    return list_administrators().filter(pk=person.pk).exists()


def has_password(person: User) -> bool:
    """Return True if this person has a password and may sign in with it."""
    return bool(person.has_usable_password()) and may_use_password(person)


def has_way_back() -> bool:
    """Return True if an administrator has a password, and so gets in while the identity provider is down."""
    return any(person.has_usable_password() for person in list_administrators())
