"""The provider that this installation sends through, from its settings."""

from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

from django.conf import settings

from newsletter.models import Issue, Send
from newsletter.providers.base.contract import Adapter
from newsletter.providers.base.issue_counts import CountsReader, IssueCounter
from newsletter.providers.base.provider_adapter import AccountTester
from newsletter.providers.outbox.adapter import find_issue_folder
from newsletter.providers.outbox.index import write_index
from newsletter.providers.registry import OUTBOX, make_adapter, make_provider_label, read_provider_url
from newsletter.sending.deliverability.domains import read_provider
from newsletter.sending.limits.recipient_allowlist import apply_allowlist, is_sending_blocked


def current_adapter() -> Adapter:
    """Return the adapter of NEWSLETTER_PROVIDER_URL behind the recipient allowlist. Raise BadProviderUrl.

    Only this module makes adapters, so the allowlist cannot be bypassed.
    """
    return apply_allowlist(_adapter(settings.NEWSLETTER_PROVIDER_URL, outbox_folder()))


def make_trial_adapter(url: str) -> Adapter:
    """Return the adapter of another URL behind the recipient allowlist. Close it after use. Raise BadProviderUrl."""
    return apply_allowlist(make_adapter(url))


def find_account_tester(url: str) -> AccountTester | None:
    """Return what tries the account of a URL without sending, if its provider can. Close it after use. Raise BadProviderUrl."""
    adapter = make_adapter(url) if read_provider_url(url).scheme != OUTBOX else None
    return adapter if isinstance(adapter, AccountTester) else None


def find_issue_counter() -> CountsReader | None:
    """Return what reads the provider's counts of an issue, None if it has none. It has no way to send."""
    adapter = _adapter(settings.NEWSLETTER_PROVIDER_URL, outbox_folder())
    return CountsReader(adapter) if isinstance(adapter, IssueCounter) else None


def can_mail_leave() -> bool:
    """Return False if nobody gets mail from here: it is written to files, or sending is blocked."""
    provider = read_provider(settings.NEWSLETTER_PROVIDER_URL)
    return provider is not None and provider.scheme != OUTBOX and not is_sending_blocked()


def provider_label() -> str:
    """Return a description of the provider without its key."""
    return make_provider_label(settings.NEWSLETTER_PROVIDER_URL)


def account_label() -> str:
    """Return a name that tells provider accounts apart and reveals nothing of their keys."""
    provider = read_provider_url(settings.NEWSLETTER_PROVIDER_URL)
    identity = [provider.scheme, provider.key, provider.secret, provider.domain, provider.endpoint]
    key = settings.SUBSCRIBERS_ADDRESS_KEY.encode()[:64]
    return f"{provider.scheme}:{blake2b('|'.join(identity).encode(), key=key, digest_size=8).hexdigest()}"


def outbox_folder() -> Path:
    return Path(settings.NEWSLETTER_DATA_DIR) / "outbox"


def find_outbox_folder(issue: Issue) -> Path:
    """Return the folder in which the outbox keeps the mails of an issue."""
    return find_issue_folder(outbox=outbox_folder(), issue=issue.public_id)


def write_outbox_index(send: Send) -> None:
    """Update the index page of a finished send if the outbox is the provider and holds a mail of it."""
    folder = find_outbox_folder(send.issue)
    if send.provider == OUTBOX and folder.is_dir():
        write_index(folder)


@lru_cache(maxsize=4)
def _adapter(url: str, outbox: Path) -> Adapter:
    return make_adapter(url, outbox_dir=outbox)
