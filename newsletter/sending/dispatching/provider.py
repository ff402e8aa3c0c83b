"""The one provider that this installation sends through, from the settings."""

from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

from django.conf import settings

from newsletter.models import Issue, Send
from newsletter.providers.base.contract import Adapter
from newsletter.providers.outbox.adapter import find_issue_folder
from newsletter.providers.outbox.index import write_index
from newsletter.providers.registry import make_adapter, make_provider_label, read_provider_url
from newsletter.sending.limits.recipient_allowlist import apply_allowlist


def current_adapter() -> Adapter:
    """The adapter of NEWSLETTER_PROVIDER_URL, behind its fence: there is no other way to one. Raises BadProviderUrl."""
    return apply_allowlist(_adapter(settings.NEWSLETTER_PROVIDER_URL, outbox_folder()))


def provider_label() -> str:
    """The provider in words, without its key."""
    return make_provider_label(settings.NEWSLETTER_PROVIDER_URL)


def account_label() -> str:
    """Names the account of NEWSLETTER_PROVIDER_URL so that another is told apart, and tells nothing of its key."""
    provider = read_provider_url(settings.NEWSLETTER_PROVIDER_URL)
    said = [provider.scheme, provider.key, provider.secret, provider.domain, provider.endpoint]
    key = settings.SUBSCRIBERS_ADDRESS_KEY.encode()[:64]
    return f"{provider.scheme}:{blake2b('|'.join(said).encode(), key=key, digest_size=8).hexdigest()}"


def outbox_folder() -> Path:
    return Path(settings.NEWSLETTER_DATA_DIR) / "outbox"


def outbox_of(issue: Issue) -> Path:
    """Where the outbox keeps what would have been sent of an issue."""
    return find_issue_folder(outbox=outbox_folder(), issue=issue.public_id)


def close_outbox(send: Send) -> None:
    """Bring the page of a finished send up to date, where the outbox is the provider."""
    if send.provider == "outbox":
        write_index(outbox_of(send.issue))


@lru_cache(maxsize=4)
def _adapter(url: str, outbox: Path) -> Adapter:
    return make_adapter(url, outbox_dir=outbox)
