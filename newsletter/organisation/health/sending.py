"""Checks the provider and the senders' domains. The provider's key is never shown."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from newsletter.models import Installation, Publication
from newsletter.organisation.health.dns import FindTexts, check_sender_domain
from newsletter.organisation.health.finding import Finding, error, ok, warning
from newsletter.providers.errors import BadProviderUrl
from newsletter.providers.registry import ProviderSettings, read_provider_url
from subscribers.addresses import to_ascii
from subscribers.errors import BadAddress

OUTBOX = "outbox"
_OWN_HOSTS = {
    "mailgun": "mailgun.net",
    "postmark": "postmarkapp.com",
    "sendgrid": "sendgrid.com",
    "resend": "resend.com",
}


def read_provider(url: str) -> ProviderSettings | None:
    """The provider, or None where its URL cannot be read; `check_provider` says why."""
    try:
        return read_provider_url(url)
    except BadProviderUrl:
        return None


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
    if not provider.webhook_key:
        do = "Add webhook_key=… to NEWSLETTER_PROVIDER_URL, and give your provider this installation's webhook address."
        yield warning("webhooks", "Without a webhook key, bounces and complaints are not heard of.", do)


def is_own_endpoint(provider: ProviderSettings) -> bool:
    """Whether mail goes to the provider itself, not to a test server."""
    if provider.scheme == OUTBOX:
        return False
    host = urlsplit(provider.endpoint).hostname or ""
    own = _OWN_HOSTS.get(provider.scheme, "")
    return not provider.endpoint or host == own or host.endswith("." + own)


def check_senders(url: str, *, find: FindTexts) -> Iterator[Finding]:
    """SPF, DKIM and DMARC of every domain that mail is sent from, where it goes to the provider itself."""
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
        yield from check_sender_domain(domain, provider=provider.scheme, find=find)


def check_hold() -> Finding:
    """Whether anything may leave this database at all."""
    row = Installation.objects.filter(held=True).first()
    if row is None:
        return ok("hold", "Mail may go out from this database.")
    return error(
        "hold", f"Everything is held: {row.reason}.", "Look, then run: newsletter doctor --after-restore --release"
    )
