"""The one provider that this installation sends through, from the settings."""

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from newsletter.providers.contract import Adapter
from newsletter.providers.registry import adapter_for, describe


def current_adapter() -> Adapter:
    """The adapter of NEWSLETTER_PROVIDER_URL. Raises BadProviderUrl."""
    return _adapter(settings.NEWSLETTER_PROVIDER_URL, outbox_folder())


def provider_label() -> str:
    """The provider in words, without its key."""
    return describe(settings.NEWSLETTER_PROVIDER_URL)


def outbox_folder() -> Path:
    return Path(settings.NEWSLETTER_DATA_DIR) / "outbox"


@lru_cache(maxsize=4)
def _adapter(url: str, outbox: Path) -> Adapter:
    return adapter_for(url, outbox_dir=outbox)
