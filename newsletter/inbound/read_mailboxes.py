"""Read the mailboxes of the settings. Each message becomes a row before it is moved out of the way.

A copy of the installation must never do so: it would take away the mails of people who unsubscribe.
"""

import logging
import time
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings

from newsletter.common.networks import is_loopback
from newsletter.inbound.errors import MailboxUnavailable
from newsletter.inbound.imap import TOTAL_SECONDS, OpenMailbox, open_mailbox
from newsletter.inbound.process_mail import handle_mail
from newsletter.inbound.reading_order import find_unsubscribing
from newsletter.inbound.settings import Mailbox
from newsletter.inbound.store import IMAP, store_mail
from newsletter.models import InboundMail, MailboxReading
from newsletter.sending.limits.installation_hold import check_installation, is_held

log = logging.getLogger(__name__)
HANDLED, UNREADABLE = "Handled", "Unreadable"
MESSAGES_A_READING = 200
MIN_SECONDS = 0.1
"""The least time for a connection. One that has no time left ends with an error."""


def read_mailboxes(*, now: datetime, seconds: float = TOTAL_SECONDS) -> int:
    """Read every mailbox, each within ``seconds``. Return how many messages were new. One that fails stops no other."""
    new = 0
    for mailbox in list_readable_mailboxes(now=now):
        reading, _ = MailboxReading.objects.get_or_create(label=mailbox.label[:300])
        try:
            new += _read(mailbox, reading, now=now, seconds=seconds)
        except MailboxUnavailable as error:
            log.error("%s", error)
            failing_since = reading.failing_since or now
            MailboxReading.objects.filter(pk=reading.pk).update(failing_since=failing_since, error=error.message)
        else:
            MailboxReading.objects.filter(pk=reading.pk).update(read_at=now, failing_since=None, error="")
    return new


def list_readable_mailboxes(*, now: datetime) -> list[Mailbox]:
    """Return the mailboxes that this installation may read now. While all sending is held, read none."""
    mailboxes = [mailbox for mailbox in settings.NEWSLETTER_INBOUND.mailboxes if may_read(mailbox)]
    if mailboxes:
        check_installation(now=now)
    return [] if is_held() else mailboxes


def may_read(mailbox: Mailbox) -> bool:
    """Return True if this is production, or if the mailbox is on this machine."""
    return settings.NEWSLETTER_PRODUCTION or is_loopback(mailbox.host)


def _read(mailbox: Mailbox, reading: MailboxReading, *, now: datetime, seconds: float) -> int:
    until = time.monotonic() + seconds
    with open_mailbox(mailbox, seconds=seconds) as opened:
        unread = _list_unread(opened, reading)
        left = max(until - time.monotonic(), MIN_SECONDS)
        looked = find_unsubscribing(opened, unread, limit=MESSAGES_A_READING, seconds=left)
        if looked.error is None:
            return _take_unread(opened, reading, unread, urgent=looked.found, now=now)
    log.warning(
        "The program could not see which mails of %s unsubscribe (%s). They are read in the order of arrival. If this goes on, "
        "check the mail server.",
        mailbox.label,
        looked.error.why,
    )
    with open_mailbox(mailbox, seconds=max(until - time.monotonic(), MIN_SECONDS)) as opened:
        validity = reading.uid_validity
        unread = _list_unread(opened, reading)
        # If the server numbers its messages again, these numbers are of other messages.
        earlier = set(looked.found) if reading.uid_validity == validity else set()
        return _take_unread(opened, reading, unread, urgent=[uid for uid in unread if uid in earlier], now=now)


def _list_unread(opened: OpenMailbox, reading: MailboxReading) -> list[int]:
    """Return the messages that were not read yet, the oldest first. Move those that were read and not moved."""
    if opened.uid_validity != reading.uid_validity:
        # The server numbers its messages again. A mail that was read before is recognised by its content.
        reading.uid_validity, reading.last_uid = opened.uid_validity, 0
    uids = opened.list_uids()
    opened.move([uid for uid in uids if uid <= reading.last_uid][:MESSAGES_A_READING], folder=HANDLED)
    return [uid for uid in uids if uid > reading.last_uid]


def _take_unread(
    opened: OpenMailbox, reading: MailboxReading, unread: Sequence[int], *, urgent: Sequence[int], now: datetime
) -> int:
    """Take the urgent messages, then the oldest. Return how many."""
    for uid in urgent:
        # It is moved away, so last_uid, which is below it, need not remember it.
        _take(opened, uid, now=now)
    others = sorted(set(unread) - set(urgent))[: MESSAGES_A_READING - len(urgent)]
    for uid in others:
        _take(opened, uid, now=now)
        reading.last_uid = uid
        reading.save(update_fields=["uid_validity", "last_uid"])
    return len(urgent) + len(others)


def _take(opened: OpenMailbox, uid: int, *, now: datetime) -> None:
    fetched = opened.fetch(uid)
    if fetched is None:
        return
    row = handle_mail(store_mail(raw=fetched.body, cut=fetched.cut, origin=IMAP, now=now), now=now)
    opened.move([uid], folder=UNREADABLE if row.state == InboundMail.State.UNREADABLE else HANDLED)
