"""Suppress an address that another system of the organisation names, also if it is not a subscriber's."""

from datetime import datetime

from django.db import transaction

from newsletter.common.errors import DomainError
from subscribers.addresses.normalise import normalise
from subscribers.identity import identify, require_own_key
from subscribers.models import MailingList, Reason, Subscriber, Suppression
from subscribers.unsubscribing.suppression import suppress
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_all, unsubscribe_from_list

REASONS = (Reason.UNSUBSCRIBE, Reason.COMPLAINT, Reason.HARD, Reason.STAFF, Reason.LEGAL)
_REASONS_FOR_ALL_MAIL = (Reason.COMPLAINT, Reason.HARD)


class BadReason(DomainError):
    """Mail cannot be stopped for this reason. The message names the possible ones."""


@transaction.atomic
def suppress_email(
    *, email: str, reason: str, now: datetime, mailing_list: MailingList | None = None, note: str = "", by: str = ""
) -> bool:
    """Suppress an address for one list or for all mail. Return True if that changed something.

    Complaints and hard bounces always apply to all mail. The reason `unsubscribe` also ends the subscription; the person
    can come back by signing up again.

    Raises:
        BadAddress: The text is no address.
        BadReason: The reason is not one of `REASONS`.
        OtherAddressKey: Nothing was changed.
    """
    require_own_key()
    if reason not in REASONS:
        raise BadReason(
            "“%(value)s” is not a reason. Use one of %(reasons)s.", value=reason[:40], reasons=", ".join(REASONS)
        )
    if reason in _REASONS_FOR_ALL_MAIL:
        mailing_list = None
    address_hash = identify(normalise(email))
    person = Subscriber.objects.filter(address_hash=address_hash).first()
    if reason == Reason.UNSUBSCRIBE and person is not None:
        if mailing_list is None:
            changed = unsubscribe_from_all(subscriber=person, now=now, source=by)
        else:
            changed = unsubscribe_from_list(subscriber=person, mailing_list=mailing_list, now=now, source=by)
        if changed and note:
            new = Suppression.objects.live().filter(address_hash=address_hash, mailing_list=mailing_list)
            new.filter(reason=Reason.UNSUBSCRIBE, note="").update(note=note)
        return changed
    return suppress(
        address_hash=address_hash, reason=Reason(reason), now=now, mailing_list=mailing_list, note=note, by=by
    )
