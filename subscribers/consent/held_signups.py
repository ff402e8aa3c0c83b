"""Sign-ups that wait for staff, who accept or reject each one."""

from datetime import datetime

from django.db import transaction

from newsletter.common.errors import DomainError
from newsletter.common.text import clean_line
from subscribers.consent.signup import SignupRequest, SignupResult, request_subscription
from subscribers.identity import identify
from subscribers.models import HeldSignup, Subscriber
from subscribers.person_locks import lock_people


class AlreadyDecided(DomainError):
    """A colleague has accepted or rejected this sign-up."""


@transaction.atomic
def hold_signup(request: SignupRequest, *, reason: str, now: datetime) -> HeldSignup:
    """Keep the sign-up of a normalised address until staff decide. A repeat keeps the first."""
    held, created = HeldSignup.objects.get_or_create(
        address_hash=identify(request.email),
        mailing_list=request.mailing_list,
        defaults={
            "email": request.email,
            "name": clean_line(request.name),
            "language": request.language,
            "place": request.place,
            "wording": request.wording,
            "source": request.source,
            "reason": reason,
            "at": now,
        },
    )
    if created:
        held.topics.add(*request.topics)
    return held


@transaction.atomic
def accept_held_signup(*, held_id: int, now: datetime) -> SignupResult:
    """Ask the person to confirm by mail, as if they had just signed up.

    Raises:
        AlreadyDecided: A colleague decided first.
    """
    address_hash = HeldSignup.objects.filter(pk=held_id).values("address_hash")
    lock_people(Subscriber.objects.filter(address_hash__in=address_hash))
    held = (
        HeldSignup.objects.select_for_update(of=("self",))
        .filter(pk=held_id)
        .select_related("mailing_list", "place")
        .first()
    )
    if held is None:
        raise AlreadyDecided("Another member of staff has already accepted or rejected this sign-up.")
    request = SignupRequest(
        email=held.email,
        mailing_list=held.mailing_list,
        wording=held.wording,
        source=held.source,
        name=held.name,
        language=held.language,
        place=held.place,
        topics=list(held.topics.all()),
    )
    result = request_subscription(request, now=now, must_confirm=True)
    held.delete()
    return result


def reject_held_signup(*, held_id: int) -> None:
    """Delete the sign-up. Raises `AlreadyDecided`."""
    if not HeldSignup.objects.filter(pk=held_id).delete()[0]:
        raise AlreadyDecided("Another member of staff has already accepted or rejected this sign-up.")
