"""Check the provider and the senders' domains. The provider's key is never shown."""

import os
from collections.abc import Iterator
from datetime import datetime

from django.conf import settings

from newsletter.common.errors import BadAddress
from newsletter.feedback.endpoint import webhook_url
from newsletter.models import Installation, Publication
from newsletter.providers.base.errors import BadProviderUrl
from newsletter.providers.base.provider_url import ProviderSettings
from newsletter.providers.base.webhooks.verification import split_keys
from newsletter.providers.registry import ADAPTERS, OUTBOX, read_provider_url
from newsletter.sending.deliverability.domain_records import FindTxtRecords, check_sender_domain
from newsletter.sending.deliverability.domains import is_own_endpoint, read_provider
from newsletter.sending.deliverability.findings import Finding, error, ok, warning
from newsletter.sending.limits.recipient_allowlist import is_sending_blocked
from subscribers.addresses.normalise import to_ascii
from subscribers.audience.recipient_allowlist import get_recipient_allowlist
from subscribers.erasing.journal_check import repair_journal
from subscribers.unsubscribing.suppression_journal import journal_path


def check_provider(url: str) -> Iterator[Finding]:
    try:
        provider = read_provider_url(url)
    except BadProviderUrl as fault:
        yield error("provider", str(fault), "Correct NEWSLETTER_PROVIDER_URL.")
        return
    if provider.scheme == OUTBOX:
        yield ok("provider", "outbox: mail is written to files, and nobody is mailed.")
        return
    where = f" at {provider.endpoint}" if provider.endpoint else ""
    yield ok("provider", f"{provider.label}{where}.")
    if provider.endpoint and not is_own_endpoint(provider):
        do = "Take the endpoint out of NEWSLETTER_PROVIDER_URL to mail real people."
        yield warning("provider", f"{provider.endpoint} is not {provider.scheme}'s own address.", do)
    yield from _check_webhooks(provider)


def _check_webhooks(provider: ProviderSettings) -> Iterator[Finding]:
    keys = len(split_keys(provider.webhook_key))
    if not keys:
        do = (
            "Add webhook_key=… to NEWSLETTER_PROVIDER_URL, and give your provider this installation's webhook address: "
            f"{webhook_url(provider.scheme)}"
        )
        words = "No webhook key is set, so reports are refused: bounces and complaints are not heard of."
        yield warning("webhooks", words, do)
    elif keys > 1:
        do = "Take the older one out of NEWSLETTER_PROVIDER_URL once your provider uses the newer."
        yield ok("webhooks", f"Reports are taken with any of {keys} keys. {do}")


def check_recipient_allowlist() -> Finding:
    """Report whether this installation may mail everybody, some people, or nobody."""
    only_to = get_recipient_allowlist()
    if is_sending_blocked():
        do = "Set NEWSLETTER_PRODUCTION=true in earnest; to try things out, name your own addresses in NEWSLETTER_ONLY_TO."
        return error("who is mailed", "Nobody: this is not production, and the provider is a real one.", do)
    if only_to is None:
        return ok("who is mailed", "Everyone who asked for it.")
    says = f"Only {only_to}."
    if settings.NEWSLETTER_PRODUCTION:
        return warning("who is mailed", says, "Take NEWSLETTER_ONLY_TO out of the settings to mail everyone.")
    return ok("who is mailed", f"{says} NEWSLETTER_ONLY_TO says so.")


def check_senders(url: str, *, find: FindTxtRecords) -> Iterator[Finding]:
    """Check SPF, DKIM and DMARC of every domain that sends, unless mail goes to files."""
    provider = read_provider(url)
    if provider is None or not is_own_endpoint(provider):
        yield ok("sender domains", "Not checked: mail does not go to a provider of its own.")
        return
    domains: set[str] = set()
    for publication in Publication.objects.filter(enabled=True):
        try:
            domains.add(to_ascii(publication.from_email).rpartition("@")[2])
        except BadAddress as fault:
            yield error(f"sender of {publication.slug}", str(fault), "Correct the publication's from_email.")
    for domain in sorted(domains):
        yield from check_sender_domain(domain, wanted=ADAPTERS[provider.scheme].dns, find=find)


def check_journal(*, now: datetime) -> Finding:
    """Check the suppression journal, and add what it misses."""
    path = journal_path()
    if path.parent.stat().st_uid != os.geteuid():
        return ok("unsubscribe journal", "Not checked: the data belongs to another user, who alone should write there.")
    try:
        added = repair_journal(now=now)
    except OSError as fault:
        says = f"{path} cannot be written: {fault.strerror}. After a restore, people who unsubscribed would be mailed."
        do = "Make room, or give this user the right to write there. What is missing is then added by itself."
        return error("unsubscribe journal", says, do)
    noted = f"{added:,} marks that had found no room were added." if added else "It misses nobody."
    return ok("unsubscribe journal", f"{path}: {noted}")


def check_hold() -> Finding:
    """Report a hold of the whole installation."""
    row = Installation.objects.filter(held=True).first()
    if row is None:
        return ok("hold", "Mail may go out from this database.")
    return error(
        "hold", f"Everything is held: {row.reason}.", "Look, then run: newsletter doctor --after-restore --release"
    )
