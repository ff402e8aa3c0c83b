"""No more mail to an address, for a reason, whether or not we know whose it is."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from newsletter.common.errors import DomainError
from subscribers.addresses.normalise import normalise
from subscribers.identity import identify
from subscribers.models import MailingList, Reason, Subscriber, Suppression
from subscribers.unsubscribing.suppression import suppress
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_all, unsubscribe_from_list

REASONS = (Reason.UNSUBSCRIBE, Reason.COMPLAINT, Reason.HARD, Reason.STAFF, Reason.LEGAL)
_REASONS_FOR_ALL_MAIL = (Reason.COMPLAINT, Reason.HARD)


class BadReason(DomainError):
    """Mail cannot be stopped for this reason; the message names those there are."""


@transaction.atomic
def stop_mail(
    *, email: str, reason: str, now: datetime, mailing_list: MailingList | None = None, note: str = "", by: str = ""
) -> bool:
    """Forbids mail of one list, or of all. True when something changed; the same again changes nothing.

    A complaint and a dead address are about all mail, whichever list is named. Somebody who left (`unsubscribe`) is
    taken off the list too, and may come back by signing up again. Raises `BadAddress` and `BadReason`.
    """
    if reason not in REASONS:
        raise BadReason(
            _("“%(value)s” is no reason. Write one of %(named)s.") % {"value": reason[:40], "named": ", ".join(REASONS)}
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
            marks = Suppression.objects.live().filter(address_hash=address_hash, mailing_list=mailing_list)
            marks.filter(reason=Reason.UNSUBSCRIBE, note="").update(note=note)
        return changed
    return suppress(
        address_hash=address_hash, reason=Reason(reason), now=now, mailing_list=mailing_list, note=note, by=by
    )
