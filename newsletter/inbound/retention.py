"""Delete the rows of inbound mail, and forget what one person wrote."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from newsletter.models import InboundMail

RETENTION = timedelta(days=30)
"""How long the rows of handled mails are kept, and unreadable mails. Replies that wait for staff stay."""


def delete_old_inbound_mails(*, now: datetime) -> int:
    """Delete old rows of mails that are done or unreadable. Return how many."""
    over = [InboundMail.State.DONE, InboundMail.State.UNREADABLE]
    return InboundMail.objects.filter(state__in=over, received_at__lt=now - RETENTION).delete()[0]


def forget_mails_of(hashes: Iterable[bytes]) -> None:
    """Delete the mails of people who are erased, also those that were not forwarded."""
    InboundMail.objects.filter(sender_hash__in=list(hashes)).delete()
