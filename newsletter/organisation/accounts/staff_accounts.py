"""Accounts that administrators make and change in the desk: invitations, roles, switching off. The end of their sessions."""

from datetime import datetime, timedelta

from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from wagtail.log_actions import log

from newsletter.common.errors import DomainError
from newsletter.models import ApiKey, StaffLink, StaffNotice
from newsletter.organisation.accounts.administrators import require_administrator
from newsletter.organisation.accounts.staff import check_email, check_role, give_role, role_of
from newsletter.organisation.accounts.staff_links import make_staff_link, withdraw_staff_links

_ROWS_AT_ONCE = 500


class EmailTaken(DomainError):
    """Another account has this address."""


@transaction.atomic
def invite_staff(
    *, email: str, role: str, by: User, now: datetime, first_name: str = "", last_name: str = ""
) -> StaffLink:
    """Make an account without a password and a link with which the person chooses one.

    Raises BadAddress, UnknownRole, EmailTaken.
    """
    known_role = check_role(role)
    address = check_email(email)
    _require_free(address)
    person = User(username=address.lower(), email=address, first_name=first_name, last_name=last_name)
    person.set_unusable_password()
    person.save()
    give_role(person, known_role)
    log(instance=person, action="newsletter.staff_added", user=by, data={"role": known_role})
    return make_staff_link(person=person, kind=StaffLink.Kind.INVITATION, by=by, now=now)


@transaction.atomic
def change_staff(*, person: User, email: str, role: str, active: bool, by: User, now: datetime) -> None:
    """Change an account's address and role, and turn it on or off. An empty role keeps the rights of a superuser.

    Raises BadAddress, UnknownRole, EmailTaken, LastAdministrator.
    """
    known_role = check_role(role) if role else None
    address = check_email(email)
    if address.lower() != person.username:
        _require_free(address)
    was_role, was_active = role_of(person), person.is_active
    ApiKey.objects.filter(made_by=person.username).update(made_by=address.lower())
    person.username, person.email, person.is_active = address.lower(), address, active
    person.save()
    if known_role and known_role != was_role:
        give_role(person, known_role)
        log(instance=person, action="newsletter.role_changed", user=by, data={"role": known_role, "was": was_role})
    if was_active != active:
        log(instance=person, action="newsletter.switched_on" if active else "newsletter.switched_off", user=by)
    if not active:
        withdraw_staff_links(person=person, now=now)
        _stop_notices(person, now=now)
        unlink_identities(person, by=by)
    require_administrator()


def _stop_notices(person: User, *, now: datetime) -> None:
    """Keep the person's waiting notices in the desk only, as for somebody without an address."""
    notices = StaffNotice.objects.filter(person=person)
    notices.filter(repeat_at__isnull=False).update(repeat_at=None)
    notices.filter(sent_at__isnull=True).update(sent_at=now)


def unlink_identities(person: User, *, by: User) -> None:
    """Forget who entered this account through the identity provider, so that another identity with the address can."""
    if SocialAccount.objects.filter(user=person).delete()[0]:
        log(instance=person, action="newsletter.identity_unlinked", user=by)


def _require_free(address: str) -> None:
    if User.objects.filter(username=address.lower()).exists():
        raise EmailTaken("%(email)s has an account already. Find it in the list of staff.", email=address)


def end_sessions(person: User) -> int:
    """End all sessions of this person. Return how many there were.

    The sessions themselves are read: the list that the person sees names a session by the key that it had at first.
    """
    open_sessions = Session.objects.filter(expire_date__gt=timezone.now()).iterator(chunk_size=_ROWS_AT_ONCE)
    sessions = [session.pk for session in open_sessions if session.get_decoded().get(SESSION_KEY) == str(person.pk)]
    Session.objects.filter(pk__in=sessions).delete()
    UserSession.objects.filter(user=person).delete()
    return len(sessions)


def delete_ended_sessions(*, now: datetime) -> int:
    """Delete the sessions that have expired. Return how many.

    They hold what was typed into a refused form. The network address and the browser of each sign-in are deleted too.
    """
    ended, _ = Session.objects.filter(expire_date__lt=now).delete()
    # A session lasts longer than its sign-in says, because each change of it renews it.
    old = UserSession.objects.filter(last_seen_at__lt=now - timedelta(seconds=settings.SESSION_COOKIE_AGE))
    old.filter(~Exists(Session.objects.filter(session_key=OuterRef("session_key")))).delete()
    return ended
