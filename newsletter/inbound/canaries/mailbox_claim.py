"""The claim on a canary mailbox: one process reads it at a time. The claim of a process that died ends by itself."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from newsletter.models import CanaryMailbox

MAX_CLAIM = timedelta(minutes=10)
"""A claim that ends later than this was made by a clock that was wrong, so it counts for nothing."""


@dataclass
class MailboxClaim:
    """The right to read one mailbox until ``until``."""

    mailbox_id: int
    until: datetime
    started_at: datetime
    started_tick: float

    def renew(self, *, seconds: float) -> bool:
        """Hold the claim for so many seconds from now. Return False if it ended and another process has the mailbox."""
        until = self.started_at + timedelta(seconds=time.monotonic() - self.started_tick + seconds)
        is_held = bool(self._find_own().update(reading_until=until))
        self.until = until if is_held else self.until
        return is_held

    def release(self) -> None:
        """Let others read the mailbox, unless another process has it already."""
        self._find_own().update(reading_until=None)

    def _find_own(self) -> QuerySet[CanaryMailbox]:
        return CanaryMailbox.objects.filter(pk=self.mailbox_id, reading_until=self.until)


def claim_mailbox(mailbox: CanaryMailbox, *, every: timedelta, seconds: float, now: datetime) -> MailboxClaim | None:
    """Claim the mailbox for so many seconds if it is time to read it and no other process does.

    A clock that was set back delays nothing.
    """
    is_due = Q(looked_at__isnull=True) | Q(looked_at__lte=now - every) | Q(looked_at__gt=now + every)
    is_free = Q(reading_until__isnull=True) | Q(reading_until__lte=now) | Q(reading_until__gt=now + MAX_CLAIM)
    until = now + timedelta(seconds=seconds)
    if not CanaryMailbox.objects.filter(is_due, is_free, pk=mailbox.pk).update(looked_at=now, reading_until=until):
        return None
    return MailboxClaim(mailbox.pk, until, started_at=now, started_tick=time.monotonic())
