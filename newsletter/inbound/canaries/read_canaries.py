"""Claim and read the canary mailboxes, as long as mails of sends are awaited in them."""

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet

from newsletter.common.errors import NotReady
from newsletter.content.fetching.bounded_fetcher import BoundedFetcher
from newsletter.inbound.canaries.accounts import READ_SECONDS, connect, read_account
from newsletter.inbound.canaries.find_canary_mails import find_mails
from newsletter.inbound.errors import MailboxUnavailable
from newsletter.models import CanaryMail, CanaryMailbox
from newsletter.sending.canaries.check_arrived_mail import CHECK_SECONDS, judge_message, record_found
from newsletter.sending.deliverability.domain_checks.lookup import Dns, SystemDns

log = logging.getLogger(__name__)
READ_EVERY = timedelta(seconds=10)
READ_SELDOM_EVERY = timedelta(minutes=5)
"""How often a mailbox is read in the first half hour after a mail was sent to it, and later."""
SELDOM_AFTER = timedelta(minutes=30)
LOOKED_FOR = timedelta(hours=24)
"""How long a mail is looked for. Then it counts as missing."""
COPIES_LOOKED_FOR = timedelta(minutes=15)
"""How long after a mail arrived a second copy of it is looked for."""
CONNECTING_SECONDS, JUDGING_SECONDS = 40.0, CHECK_SECONDS + 30
"""How long at most it takes to connect, and to judge one mail with its DNS. A mailbox is claimed for that long."""
_Result = CanaryMail.Result
_SENT = {"state__in": CanaryMail.HANDED_OVER}
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
        """Extend the claim by this number of seconds from now. Return False if it ended and another process has the mailbox."""
        until = self.started_at + timedelta(seconds=time.monotonic() - self.started_tick + seconds)
        is_held = bool(self._find_own().update(reading_until=until))
        self.until = until if is_held else self.until
        return is_held

    def release(self) -> None:
        """Release the mailbox for others, unless another process has claimed it already."""
        self._find_own().update(reading_until=None)

    def _find_own(self) -> QuerySet[CanaryMailbox]:
        return CanaryMailbox.objects.filter(pk=self.mailbox_id, reading_until=self.until)


def claim_mailbox(mailbox: CanaryMailbox, *, every: timedelta, seconds: float, now: datetime) -> MailboxClaim | None:
    """Claim the mailbox for this number of seconds if it is due and no other process reads it.

    A clock that was set back delays nothing.
    """
    is_due = Q(looked_at__isnull=True) | Q(looked_at__lte=now - every) | Q(looked_at__gt=now + every)
    is_free = Q(reading_until__isnull=True) | Q(reading_until__lte=now) | Q(reading_until__gt=now + MAX_CLAIM)
    until = now + timedelta(seconds=seconds)
    if not CanaryMailbox.objects.filter(is_due, is_free, pk=mailbox.pk).update(looked_at=now, reading_until=until):
        return None
    return MailboxClaim(mailbox.pk, until, started_at=now, started_tick=time.monotonic())


def read_canary_mailboxes(*, now: datetime, dns: Dns | None = None, seconds: float = READ_SECONDS) -> int:
    """Read each mailbox in which mails are awaited. Return how many mails were found. One that fails stops no other."""
    _give_up(now=now)
    count = 0
    for mailbox in CanaryMailbox.objects.filter(enabled=True):
        awaited = list(find_awaited(mailbox, now=now))
        claim = _claim(mailbox, awaited, now=now, seconds=seconds) if awaited else None
        if claim is None:
            continue
        try:
            count += _read(mailbox, awaited, claim, now=now, dns=dns or SystemDns(), seconds=seconds)
        except (MailboxUnavailable, NotReady) as error:
            log.error("%s", error)
            failing_since = mailbox.failing_since or now
            CanaryMailbox.objects.filter(pk=mailbox.pk).update(failing_since=failing_since, error=error.message)
        else:
            CanaryMailbox.objects.filter(pk=mailbox.pk).update(failing_since=None, error="")
        finally:
            claim.release()
    return count


def is_awaiting(*, now: datetime) -> bool:
    """Return True if a mail is looked for in any mailbox, or does not count as missing yet."""
    return CanaryMail.objects.filter(_is_looked_for(now) | Q(result=_Result.UNKNOWN), **_SENT).exists()


def find_awaited(mailbox: CanaryMailbox, *, now: datetime) -> QuerySet[CanaryMail]:
    """Return the mails to look for: those not found yet, and those of which another copy may still come."""
    return mailbox.mails.filter(_is_looked_for(now), **_SENT).order_by("pk")


def _is_looked_for(now: datetime) -> Q:
    not_found = Q(result__in=[_Result.UNKNOWN, _Result.MISSING], sent_at__gt=now - LOOKED_FOR)
    return not_found | Q(arrived_at__gt=now - COPIES_LOOKED_FOR)


def _claim(mailbox: CanaryMailbox, awaited: list[CanaryMail], *, now: datetime, seconds: float) -> MailboxClaim | None:
    """Return the claim on the mailbox, or None if it is not time to read it or another process does."""
    newest = max((mail.sent_at or now) for mail in awaited)
    every = READ_EVERY if now - newest < SELDOM_AFTER else READ_SELDOM_EVERY
    return claim_mailbox(mailbox, every=every, seconds=CONNECTING_SECONDS + seconds, now=now)


def _read(
    mailbox: CanaryMailbox, awaited: list[CanaryMail], claim: MailboxClaim, *, now: datetime, dns: Dns, seconds: float
) -> int:
    """Look for the mails, then judge those that are new with the connection closed. Return how many are new."""
    count = 0
    new = {mail.key for mail in awaited if mail.result in (_Result.UNKNOWN, _Result.MISSING)}
    with connect(read_account(mailbox), seconds=seconds) as client:
        sightings = find_mails(client, {mail.key for mail in awaited}, sources_of=new, now=now)
    for mail in awaited:
        sighting = sightings.get(mail.key)
        if sighting is None or (mail.key in new and not sighting.raw):
            continue
        if not claim.renew(seconds=JUDGING_SECONDS):
            log.warning("Reading the canary %s took so long that another process reads it now.", mailbox)
            break
        fetcher = BoundedFetcher(allow=settings.NEWSLETTER_FETCH_ALLOW, seconds=CHECK_SECONDS)
        findings = judge_message(sighting.raw, find=dns.find_txt, fetcher=fetcher) if mail.key in new else []
        record_found(mail, sighting.found, findings=findings, now=now)
        count += mail.key in new
    return count


def _give_up(*, now: datetime) -> None:
    """Call mails missing that did not arrive in a day."""
    late = CanaryMail.objects.filter(
        state__in=CanaryMail.HANDED_OVER, result=_Result.UNKNOWN, sent_at__lte=now - LOOKED_FOR
    )
    late.update(result=_Result.MISSING, measured_at=now)
