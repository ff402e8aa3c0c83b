"""The administrators: the active accounts that may change staff. There is always one."""

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from newsletter.common.errors import DomainError

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
