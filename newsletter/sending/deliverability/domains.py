"""The domains that mail is sent from, and what the last check found about them.

`newsletter.sending.deliverability.refresh_domains` asks DNS. Nothing here does, or imports what it needs.
"""

from urllib.parse import urlsplit

from django.conf import settings

from newsletter.common.errors import BadAddress
from newsletter.common.messages import Message
from newsletter.models import Publication, SenderDomain
from newsletter.providers.accounts import DEFAULT_ACCOUNT
from newsletter.providers.base.errors import BadProviderUrl
from newsletter.providers.base.provider_url import ProviderSettings
from newsletter.providers.registry import ADAPTERS, OUTBOX, read_provider_url
from newsletter.sending.accounts import find_account, list_usable_accounts
from newsletter.sending.deliverability.domain_checks.sender import Sender
from newsletter.sending.deliverability.findings import Finding
from subscribers.addresses.normalise import to_ascii


def read_provider(url: str) -> ProviderSettings | None:
    """Return the provider of a URL, or None if the URL cannot be read."""
    try:
        return read_provider_url(url)
    except BadProviderUrl:
        return None


def is_own_endpoint(provider: ProviderSettings) -> bool:
    """Return True if mail goes to the provider itself, not to a test server or to files."""
    if provider.scheme == OUTBOX:
        return False
    host = urlsplit(provider.endpoint).hostname or ""
    provider_domain = ADAPTERS[provider.scheme].own_domain
    return not provider.endpoint or host == provider_domain or host.endswith("." + provider_domain)


def domain_of(address: str) -> str:
    """Return the domain of a sender in ASCII, "" if the address is not valid."""
    try:
        return to_ascii(address).rpartition("@")[2]
    except BadAddress:
        return ""


def make_sender(domain: str, provider: ProviderSettings) -> Sender:
    """Return a domain with what the provider and its settings say about it: nothing if mail goes to files."""
    if provider.scheme == OUTBOX:
        return Sender(domain)
    adapter = ADAPTERS[provider.scheme]
    return Sender(
        domain,
        wanted=adapter.dns,
        known=adapter.find_domains(provider, sender=domain),
        reports_to=settings.NEWSLETTER_INBOUND_ADDRESS,
        setting=provider.setting,
    )


def list_further_senders() -> dict[str, dict[str, ProviderSettings]]:
    """Return, by domain, the further accounts of real providers that publications in use send it through."""
    real = {
        account.name: account.provider
        for account in list_usable_accounts()
        if account.name != DEFAULT_ACCOUNT and account.provider and is_own_endpoint(account.provider)
    }
    accounts_by_domain: dict[str, dict[str, ProviderSettings]] = {}
    rows = Publication.objects.filter(enabled=True) if real else Publication.objects.none()
    for address, *names in rows.values_list("from_email", "account", "second_account"):
        accounts_of_domain = accounts_by_domain.setdefault(domain_of(address), {})
        accounts_of_domain.update({name: real[name] for name in names if name in real})
    return {domain: accounts for domain, accounts in accounts_by_domain.items() if domain and accounts}


def list_default_domains() -> set[str]:
    """Return the domains that publications send through the default account."""
    rows = Publication.objects.filter(archived=False).values_list("from_email", "account", "second_account")
    return {domain_of(address) for address, *names in rows if DEFAULT_ACCOUNT in names} - {""}


def find_domain_problems(from_email: str, *, account: str = DEFAULT_ACCOUNT) -> list[Finding]:
    """Return what the last check found wrong with a sender's domain for an account, or a warning if it was not checked yet.

    Advice is left out. Return nothing if its mail does not go to a real provider.
    """
    chosen = find_account(account)
    provider = chosen.provider if chosen else None
    if provider is None or not is_own_endpoint(provider):
        return []
    domain = domain_of(from_email)
    findings = _find_stored(domain, provider=provider, account=account)
    if findings is None:
        says = Message("The DNS records of %(domain)s were not checked yet.", domain=domain or from_email)
        return [
            Finding(
                Message("sender domain"), "warning", says, Message("They are checked automatically within minutes.")
            )
        ]
    return [Finding.from_row(stored) for stored in findings if stored["level"] in ("warning", "error")]


def find_domain_error(from_email: str, *, account: str) -> Finding | None:
    """Return the first problem of a sender's domain that keeps its issues from being sent, or None."""
    problems = find_domain_problems(from_email, account=account)
    return next((problem for problem in problems if problem.level == "error"), None)


def _find_stored(domain: str, *, provider: ProviderSettings, account: str) -> list[dict[str, object]] | None:
    """Return the rows of the last check for this account, None if there was none."""
    row = SenderDomain.objects.filter(domain=domain, looked_at__isnull=False).first()
    if row is None:
        return None
    if account == DEFAULT_ACCOUNT:
        return list(row.findings) if row.provider == provider.scheme else None
    stored = row.further.get(account, {})
    return list(stored["findings"]) if stored.get("provider") == provider.label else None
