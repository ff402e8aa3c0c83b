"""Keep a mail that came in, once, before anything else is done with it."""

import hashlib
from datetime import datetime

from django.db import IntegrityError, transaction

from newsletter.inbound.imap import MAX_BYTES
from newsletter.models import InboundMail

IMAP = "imap"
"""The origin of a mail that was read from a mailbox."""


def store_mail(*, raw: bytes, origin: str, now: datetime, cut: bool = False, once: str = "") -> InboundMail:
    """Return the row of this mail, which may be an older one. Only its beginning is kept.

    Raise IntegrityError if the token came before with another mail.
    """
    kept = raw[:MAX_BYTES]
    key = hashlib.sha256(kept).hexdigest()
    known = InboundMail.objects.filter(key=key).first()
    if known is not None:
        return known
    try:
        with transaction.atomic():
            return InboundMail.objects.create(
                key=key,
                origin=origin,
                once=once or None,
                raw=kept,
                cut=cut or len(raw) > MAX_BYTES,
                received_at=now,
            )
    except IntegrityError:
        known = InboundMail.objects.filter(key=key).first()
        if known is None:
            raise
        return known
