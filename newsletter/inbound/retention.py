"""Delete the rows of inbound mail, and forget what one person wrote."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from newsletter.models import InboundMail

KEPT = timedelta(days=30)
"""How long it is kept that a mail came in, and how long a mail that cannot be read. Replies that wait for staff are kept."""


def delete_old_inbound_mails(*, now: datetime) -> int:
    """Delete old rows of mails that are done or unreadable. Return how many."""
    over = [InboundMail.State.DONE, InboundMail.State.UNREADABLE]
    return InboundMail.objects.filter(state__in=over, received_at__lt=now - KEPT).delete()[0]


def forget_mails_of(hashes: Iterable[bytes]) -> None:
    """Delete the mails of people who are erased, also those that were not sent on."""
    InboundMail.objects.filter(sender_hash__in=list(hashes)).delete()
