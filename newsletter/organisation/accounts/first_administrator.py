"""Make the first administrator of an empty installation.

The browser needs a code that only the log shows. `newsletter setup` sets no password and shows a link to choose one.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.signing import BadSignature, TimestampSigner
from django.db import transaction
from django.urls import reverse
from wagtail.log_actions import log

from newsletter.common.errors import BadLink, WrongState
from newsletter.common.messages import Message
from newsletter.models import StaffLink
from newsletter.organisation.accounts.staff import check_email, give_role, set_password
from newsletter.organisation.accounts.staff_links import find_open_link, make_staff_link

CODE_LIFETIME = timedelta(hours=24)
MIN_CLAIM_TIME = timedelta(days=1)
_SALT, _VALUE = "newsletter.first-administrator", "first"
_TAKEN = Message("Somebody has an account already. Sign in, or ask an administrator to invite you.")


def is_without_staff() -> bool:
    """Return True if nobody has an account."""
    return not User.objects.exists()


def make_first_administrator_url() -> str:
    """Return the link for the log. It works for a day, and only while nobody has an account."""
    code = _signer().sign(_VALUE).removeprefix(f"{_VALUE}.")
    return f"{settings.NEWSLETTER_SITE_URL}{reverse('newsletter_first_administrator', args=[code])}"


def check_code(code: str) -> None:
    """Raise BadLink for a wrong or old code, and for any code once somebody has an account."""
    if not is_without_staff():
        raise BadLink(_TAKEN)
    try:
        _signer().unsign(f"{_VALUE}.{code}", max_age=CODE_LIFETIME)
    except BadSignature as error:
        raise BadLink(
            "This link is wrong or older than a day. Start the program again: it prints a new link."
        ) from error


@transaction.atomic
def make_first_administrator(
    *, code: str, email: str, password: str, first_name: str = "", last_name: str = ""
) -> User:
    """Make the account. Raises BadLink, BadAddress, BadPassword. Of two requests at once, one gets the account."""
    Group.objects.select_for_update().get(name="admin")
    check_code(code)
    address = check_email(email)
    person = User(username=address.lower(), email=address, first_name=first_name, last_name=last_name)
    set_password(person, password)
    person.save()
    give_role(person, "admin")
    log(instance=person, action="newsletter.staff_added", user=person, data={"role": "admin", "first": True})
    return person


@transaction.atomic
def add_first_administrator(*, email: str) -> User:
    """Make the account without a password. Raises BadAddress, and WrongState once somebody has an account."""
    Group.objects.select_for_update().get(name="admin")
    if not is_without_staff():
        raise WrongState(_TAKEN)
    address = check_email(email)
    person = User(username=address.lower(), email=address)
    person.set_unusable_password()
    person.save()
    give_role(person, "admin")
    log(instance=person, action="newsletter.staff_added", user=person, data={"role": "admin", "first": True})
    return person


def find_unclaimed_account() -> User | None:
    """Return the only account if nobody has chosen its password or signed in with it yet."""
    people = list(User.objects.order_by("pk")[:2])
    if len(people) != 1 or not people[0].is_active or people[0].last_login or people[0].has_usable_password():
        return None
    return people[0]


def find_claim_link(person: User, *, now: datetime) -> StaffLink:
    """Return the person's invitation, with which they choose a password. Make one unless the open one works for a day."""
    link = find_open_link(person, now=now)
    if link and link.kind == StaffLink.Kind.INVITATION and link.expires_at - now >= MIN_CLAIM_TIME:
        return link
    return make_staff_link(person=person, kind=StaffLink.Kind.INVITATION, by=None, now=now)


def _signer() -> TimestampSigner:
    return TimestampSigner(sep=".", salt=_SALT)
