"""Try what mail comes in by: sign in to each mailbox, show the address of each webhook, find replies that go in a circle."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings

from newsletter.inbound.addresses import is_own_address
from newsletter.inbound.errors import MailboxUnavailable
from newsletter.inbound.imap import open_mailbox
from newsletter.inbound.read_mailboxes import may_read
from newsletter.inbound.replies import list_staff_addresses
from newsletter.inbound.settings import InboundWebhook, Mailbox
from newsletter.inbound.webhooks import find_key, inbound_url
from newsletter.models import MailboxReading, Publication
from newsletter.providers.base.errors import BadProviderUrl
from newsletter.sending.deliverability.findings import Finding, error, ok, warning

MAILBOX, WEBHOOK, REPLIES = "mailbox", "inbound webhook", "replies"
SECONDS = 15.0
UNREAD_AFTER = timedelta(minutes=15)


def check_mailboxes() -> Iterator[Finding]:
    """Report if each mailbox can be opened. Nothing is read or moved."""
    for mailbox in settings.NEWSLETTER_INBOUND.mailboxes:
        if not may_read(mailbox):
            text = f"{mailbox.label} is not read: only production may take mails out of a mailbox elsewhere."
            yield warning(
                MAILBOX,
                text,
                "In production, set NEWSLETTER_PRODUCTION=true. Elsewhere, leave the mailbox out.",
            )
            continue
        try:
            with open_mailbox(mailbox, seconds=SECONDS) as opened:
                waiting = len(opened.list_uids())
        except MailboxUnavailable as problem:
            yield error(MAILBOX, str(problem), "Correct it, then run: newsletter doctor")
        else:
            yield ok(MAILBOX, f"{mailbox.label} can be opened; messages waiting there: {waiting}.")


def check_inbound(*, now: datetime) -> Iterator[Finding]:
    """Report mailboxes that nobody reads, webhooks with their addresses, and publications whose replies reach nobody."""
    if not settings.NEWSLETTER_INBOUND:
        return
    for mailbox in filter(may_read, settings.NEWSLETTER_INBOUND.mailboxes):
        yield from _check_reading(mailbox, now=now)
    for webhook in settings.NEWSLETTER_INBOUND.webhooks:
        yield _check_webhook(webhook, now=now)
    yield from _check_replies()


def _check_reading(mailbox: Mailbox, *, now: datetime) -> Iterator[Finding]:
    reading = MailboxReading.objects.filter(label=mailbox.label[:300]).first()
    if reading is None:
        text = f"{mailbox.label} has not been read yet."
        yield warning(MAILBOX, text, "Start the scheduler: it reads each mailbox every minute.")
    elif reading.read_at is None or reading.read_at < now - UNREAD_AFTER:
        when = f"was last read on {reading.read_at:%Y-%m-%d at %H:%M} UTC" if reading.read_at else "was never read"
        do = "Check that the scheduler runs, and what its log says about this mailbox."
        yield warning(MAILBOX, f"{mailbox.label} {when}.", do)


def _check_webhook(webhook: InboundWebhook, *, now: datetime) -> Finding:
    try:
        key = find_key(webhook, now=now)
    except BadProviderUrl as problem:
        return error(WEBHOOK, str(problem), "Correct NEWSLETTER_PROVIDER_URL, or give the key in NEWSLETTER_INBOUND.")
    url = inbound_url(webhook.provider)
    if webhook.provider == "mailgun" and not key:
        do = "Add ?key=… with the HTTP webhook signing key to inbound://mailgun in NEWSLETTER_INBOUND."
        return error(WEBHOOK, "No key of Mailgun is known, so every mail that it posts is refused.", do)
    how = "a key or password" if key else "the secret address alone"
    return ok(WEBHOOK, f"Mails of {webhook.provider} are taken at {url} and proven by {how}.")


def _check_replies() -> Iterator[Finding]:
    for publication in Publication.objects.filter(archived=False).order_by("pk"):
        if not list_staff_addresses(publication):
            text = f"Replies to {publication} reach nobody by mail; they wait in the desk."
            yield error(REPLIES, text, "Give the publication an address for replies that people read.")
        elif is_own_address(publication.reply_to):
            text = (
                f"The address for replies of {publication} is the one that is read here, so staff get replies instead."
            )
            yield warning(REPLIES, text, "Give the publication an address for replies that people read.")
