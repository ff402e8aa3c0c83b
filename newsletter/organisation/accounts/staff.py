"""Staff accounts: named by email address, one role each."""

from dataclasses import dataclass
from datetime import datetime

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group, User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from wagtail.log_actions import log

from newsletter.common.errors import BadAddress, DomainError, NotFound
from newsletter.common.known_names import nearest
from newsletter.organisation.accounts.roles import ROLES, Role
from subscribers.addresses.normalise import normalise

MAX_EMAIL_LENGTH = 150


class BadPassword(DomainError):
    """The password is missing or too easy to guess. The message says why."""


class UnknownRole(DomainError):
    """The role is not one of ROLES."""


@dataclass(frozen=True)
class StaffChange:
    """The change that `add_staff` made. `old_role` is "" for a new account."""

    email: str
    role: Role
    created: bool
    old_role: str
    password_set: bool


@dataclass(frozen=True)
class StaffMember:
    email: str
    role: str
    active: bool
    last_login: datetime | None
    second_factor: bool


def add_staff(*, email: str, role: str, password: str | None = None) -> StaffChange:
    """Make an account, or change an existing one's role and, if given, password.

    Raises BadAddress, UnknownRole, BadPassword.
    """
    known_role = check_role(role)
    address = check_email(email)
    with transaction.atomic():
        person = User.objects.filter(username=address.lower()).first()
        created = person is None
        if person is None:
            person = User(username=address.lower(), email=address)
        if created or password:
            set_password(person, password or "")
        if created or password or not person.is_active:
            person.is_active = True
            person.save()
        old_role = role_of(person)
        give_role(person, known_role)
        change = StaffChange(
            email=person.username,
            role=known_role,
            created=created,
            old_role=old_role,
            password_set=created or bool(password),
        )
        _log_change(person, change)
    return change


def remove_second_factor(*, email: str) -> int:
    """Delete somebody's second factor and recovery codes and end their sessions. Return how many factors there were.

    Raises NotFound.
    """
    person = User.objects.filter(username=email.strip().lower()).first()
    if person is None:
        raise NotFound(
            _("Nobody has an account under %(email)s. List the staff: newsletter staff list") % {"email": email}
        )
    return remove_factors(person, by=None)


@transaction.atomic
def remove_factors(person: User, *, by: User | None) -> int:
    """Delete the person's second factor and recovery codes. Their sessions end. Return how many factors there were."""
    removed: int = Authenticator.objects.filter(user=person).delete()[0]
    if removed:
        log(instance=person, action="newsletter.factor_forgotten", user=by)
    return removed


def list_staff() -> list[StaffMember]:
    """Return every account, ordered by address."""
    guarded = set(Authenticator.objects.filter(type=Authenticator.Type.TOTP).values_list("user_id", flat=True))
    return [
        StaffMember(
            email=person.username,
            role=role_of(person),
            active=person.is_active,
            last_login=person.last_login,
            second_factor=person.pk in guarded,
        )
        for person in User.objects.prefetch_related("groups").order_by("username")
    ]


def is_staff(email: str) -> bool:
    """Return True if the address has an account."""
    return User.objects.filter(username=email.strip().lower()).exists()


def role_of(person: User) -> str:
    """Return the person's highest role, or ""."""
    if person.pk is None:
        return ""
    held = {group.name for group in person.groups.all()}
    return next((role for role in reversed(ROLES) if role in held), "superuser" if person.is_superuser else "")


def check_email(email: str) -> str:
    """Return the address as an account keeps it. Raises BadAddress."""
    address = normalise(email)
    if len(address) > MAX_EMAIL_LENGTH:
        raise BadAddress(
            _("An account’s address may have %(longest_email)s characters; this one has %(address)s.")
            % {"longest_email": MAX_EMAIL_LENGTH, "address": len(address)}
        )
    return address


def check_role(role: str) -> Role:
    for name in ROLES:
        if role == name:
            return name
    hint = nearest(role, ROLES) or f"the roles are {', '.join(ROLES)}."
    raise UnknownRole(_("There is no role “%(role)s”; %(hint)s") % {"role": role, "hint": hint})


def check_new_password(email: str, password: str) -> None:
    """Check the password of a person without an account. Raises BadAddress, BadPassword."""
    address = check_email(email)
    _check_password(User(username=address.lower(), email=address), password)


def set_password(person: User, password: str) -> None:
    """Set a password on the unsaved person. Raises BadPassword."""
    _check_password(person, password)
    person.set_password(password)


def _check_password(person: User, password: str) -> None:
    if not password:
        raise BadPassword(
            _("%(username)s needs a password. Type one when asked, or give it on standard input.")
            % {"username": person.username}
        )
    try:
        validate_password(password, user=person)
    except ValidationError as error:
        raise BadPassword(" ".join(error.messages)) from error


def give_role(person: User, role: Role) -> None:
    """Give the person this role and no other."""
    group = Group.objects.filter(name=role).first()
    if group is None:
        raise NotFound(
            _("The group of the role “%(role)s” is gone from the database. Make it again in the desk.") % {"role": role}
        )
    person.groups.remove(*Group.objects.filter(name__in=ROLES).exclude(pk=group.pk))
    person.groups.add(group)


def _log_change(person: User, change: StaffChange) -> None:
    if change.created:
        log(instance=person, action="newsletter.staff_added", data={"role": change.role})
        return
    if change.old_role != change.role:
        log(instance=person, action="newsletter.role_changed", data={"role": change.role, "was": change.old_role})
    if change.password_set:
        log(instance=person, action="newsletter.password_set")
