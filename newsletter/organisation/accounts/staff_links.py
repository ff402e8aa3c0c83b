"""Links with which staff choose their own password: invitations and new passwords. Each works once and expires."""

import hmac
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils.crypto import salted_hmac
from wagtail.log_actions import log

from newsletter.common.database.future_times import make_ahead_filter
from newsletter.common.errors import BadLink, DomainError
from newsletter.common.messages import Message
from newsletter.models import PasswordLinkRequest, StaffLink
from newsletter.organisation.accounts.administrators import may_use_password
from newsletter.organisation.accounts.staff import set_password

LIFETIMES = {StaffLink.Kind.INVITATION: timedelta(days=7), StaffLink.Kind.PASSWORD: timedelta(hours=1)}
REQUEST_INTERVAL = timedelta(minutes=10)
MAX_REQUESTS_PER_DAY = 5
MAX_REQUEST_AGE = timedelta(hours=1)
INVITATION_INTERVAL = timedelta(hours=5)
_SALT = "newsletter.staff-link"
_LOG_ACTIONS = {StaffLink.Kind.INVITATION: "newsletter.invited", StaffLink.Kind.PASSWORD: "newsletter.link_made"}


class UsedStaffLink(BadLink):
    """The link was used, has expired, was withdrawn, or is incomplete."""


_BAD_LINK = Message("This link does not work any more. It was used, it has expired, or a newer link replaced it.")


@transaction.atomic
def make_staff_link(*, person: User, kind: StaffLink.Kind, by: User | None, now: datetime) -> StaffLink:
    """Make a link for the person and withdraw their earlier one. A job mails it. Raises DomainError.

    ``by`` is None if the person asked for it themselves.
    """
    if not person.is_active:
        raise DomainError("%(person)s’s account is switched off. Switch it on first.", person=person)
    if kind == StaffLink.Kind.PASSWORD and not may_use_password(person):
        raise DomainError(
            "%(person)s signs in with the identity provider. Passwords are for administrators.", person=person
        )
    User.objects.select_for_update().get(pk=person.pk)
    withdraw_staff_links(person=person, now=now)
    link = StaffLink.objects.create(person=person, kind=kind, made_at=now, made_by=by, expires_at=now + LIFETIMES[kind])
    log(instance=person, action=_LOG_ACTIONS[kind], user=by or person, data={"asked_by_mail": by is None})
    return link


def withdraw_staff_links(*, person: User, now: datetime) -> None:
    """Withdraw the person's open link, if there is one."""
    StaffLink.objects.filter(person=person, used_at=None, withdrawn_at=None).update(withdrawn_at=now)


def find_open_link(person: User, *, now: datetime) -> StaffLink | None:
    """Return the person's link if it can still be used."""
    return StaffLink.objects.filter(person=person, used_at=None, withdrawn_at=None, expires_at__gt=now).first()


def make_staff_link_url(link: StaffLink) -> str:
    """Return the URL. It stops working if the person's password or address changes in any other way."""
    token = _signer().sign_object([link.pk, _fingerprint(link.person)])
    return f"{settings.NEWSLETTER_SITE_URL}{reverse('newsletter_choose_password', args=[token])}"


def read_staff_link(token: str, *, now: datetime) -> StaffLink:
    """Return the open link of a token. Raises UsedStaffLink."""
    try:
        pk, fingerprint = _signer().unsign_object(token)
    except (signing.BadSignature, ValueError) as error:
        raise UsedStaffLink(_BAD_LINK) from error
    link = StaffLink.objects.select_related("person").filter(pk=pk, used_at=None, withdrawn_at=None).first()
    if link is None or link.expires_at <= now or not link.person.is_active:
        raise UsedStaffLink(_BAD_LINK)
    if not hmac.compare_digest(fingerprint, _fingerprint(link.person)):
        raise UsedStaffLink(_BAD_LINK)
    return link


@transaction.atomic
def use_staff_link(*, link: StaffLink, password: str, now: datetime, first_name: str = "", last_name: str = "") -> User:
    """Set the person's password and the names that are given, and use the link up.

    Raises BadPassword, and UsedStaffLink for the second of two at once.
    """
    person = link.person
    set_password(person, password)
    if not StaffLink.objects.filter(pk=link.pk, used_at=None, withdrawn_at=None).update(used_at=now):
        raise UsedStaffLink(_BAD_LINK)
    person.first_name = first_name or person.first_name
    person.last_name = last_name or person.last_name
    person.save(update_fields=["password", "first_name", "last_name"])
    log(instance=person, action="newsletter.password_set", user=person, data={"by_link": link.kind})
    return person


def request_password_link(*, email: str, address: str, now: datetime) -> None:
    """Note that somebody asks for a link to this account. It takes the same time if the account does not exist."""
    PasswordLinkRequest.objects.create(email=email.strip().lower()[:254], address=address[:45], asked_at=now)


def answer_password_requests(*, now: datetime) -> int:
    """Make the links of the waiting requests. Return how many were made; an account gets five a day, one in ten minutes."""
    made = 0
    for request in PasswordLinkRequest.objects.order_by("pk")[:100]:
        with transaction.atomic():
            if not PasswordLinkRequest.objects.filter(pk=request.pk).delete()[0]:
                continue
            person = User.objects.filter(username=request.email, is_active=True).first()
            fresh = request.asked_at > now - MAX_REQUEST_AGE
            if person and fresh and may_use_password(person) and _may_have_another(person, now=now):
                make_staff_link(person=person, kind=StaffLink.Kind.PASSWORD, by=None, now=now)
                made += 1
    return made


def _may_have_another(person: User, *, now: datetime) -> bool:
    """Return False if the person asked just now or too often, or has an open invitation, which is mailed again."""
    open_link = find_open_link(person, now=now)
    if open_link and open_link.kind == StaffLink.Kind.INVITATION:
        again = StaffLink.objects.filter(pk=open_link.pk, sent_at__lt=now - INVITATION_INTERVAL)
        again.update(sent_at=None, repeat_at=None, repeats=0)
        return False
    recent_links = StaffLink.objects.filter(person=person, made_by=None, made_at__gt=now - timedelta(days=1))
    recent_links = recent_links.exclude(make_ahead_filter("made_at", now=now))
    times = list(recent_links.order_by("-made_at").values_list("made_at", flat=True)[:MAX_REQUESTS_PER_DAY])
    return len(times) < MAX_REQUESTS_PER_DAY and not (times and now - times[0] < REQUEST_INTERVAL)


def _signer() -> signing.Signer:
    return signing.Signer(sep=".", salt=_SALT)


def _fingerprint(person: User) -> str:
    return salted_hmac(_SALT, f"{person.pk}|{person.password}|{person.email}", algorithm="sha256").hexdigest()[:32]
