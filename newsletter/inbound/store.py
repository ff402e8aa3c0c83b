"""Store an inbound mail, once, before anything else is done with it, and delete it in time."""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from newsletter.inbound.imap import MAX_BYTES
from newsletter.models import InboundMail

IMAP = "imap"
"""The origin of a mail that was read from a mailbox."""
RETENTION = timedelta(days=30)
"""How long the rows of handled mails are kept, and unreadable mails. Replies that wait for staff stay."""


def store_mail(*, raw: bytes, origin: str, now: datetime, cut: bool = False, once: str = "") -> InboundMail:
    """Return the row of this mail, which may be an older one. Only its beginning is kept.

    Raise IntegrityError if another mail had the token before.
    """
    stored = raw[:MAX_BYTES]
    key = hashlib.sha256(stored).hexdigest()
    earlier = InboundMail.objects.filter(key=key).first()
    if earlier is not None:
        return earlier
    try:
        with transaction.atomic():
            return InboundMail.objects.create(
                key=key,
                origin=origin,
                once=once or None,
                raw=stored,
                cut=cut or len(raw) > MAX_BYTES,
                received_at=now,
            )
    except IntegrityError:
        earlier = InboundMail.objects.filter(key=key).first()
        if earlier is None:
            raise
        return earlier


def delete_old_inbound_mails(*, now: datetime) -> int:
    """Delete old rows of mails that are done or unreadable. Return how many."""
    over = [InboundMail.State.DONE, InboundMail.State.UNREADABLE]
    return InboundMail.objects.filter(state__in=over, received_at__lt=now - RETENTION).delete()[0]


def forget_mails_of(hashes: Iterable[bytes]) -> None:
    """Delete the mails of people who are erased, also those that were not forwarded."""
    InboundMail.objects.filter(sender_hash__in=list(hashes)).delete()
