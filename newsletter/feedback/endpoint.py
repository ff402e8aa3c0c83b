"""Where each provider reports: an address with a secret in it, and the key that its reports are checked with."""

import base64
import hashlib
import hmac

from django.conf import settings

from newsletter.providers.base.errors import BadWebhook
from newsletter.providers.base.webhooks.verification import require_keys
from newsletter.providers.registry import find_webhook_handler, read_provider_url

_SECRET_BYTES = 24


def webhook_secret(provider: str) -> str:
    """The part of the address that only the provider and we know. It lives as long as the address key."""
    made = hmac.digest(
        str(settings.SUBSCRIBERS_ADDRESS_KEY).encode(), f"newsletter.hooks.{provider}".encode(), hashlib.sha256
    )
    return base64.urlsafe_b64encode(made[:_SECRET_BYTES]).decode("ascii")


def webhook_url(provider: str) -> str:
    """The address to enter at the provider. Raises BadWebhook for a provider that does not report here."""
    name = find_webhook_handler(provider).name
    return f"{settings.NEWSLETTER_SITE_URL}/hooks/{name}/{webhook_secret(name)}"


def check_secret(*, provider: str, secret: str) -> None:
    """Raises BadWebhook where ``secret`` is not the one of this provider's address."""
    if not hmac.compare_digest(webhook_secret(provider).encode(), secret.encode()):
        raise BadWebhook("The address is not the one that `newsletter doctor` shows for this provider.")


def is_configured(provider: str) -> bool:
    """Return True if mail goes out through this provider. Raises BadProviderUrl."""
    return read_provider_url(settings.NEWSLETTER_PROVIDER_URL).scheme == provider


def require_key(provider: str) -> None:
    """Raises BadWebhook where no key is set: also a provider that signs nothing must send a password or a token."""
    require_keys(webhook_key(provider), provider=provider)


def webhook_key(provider: str) -> str:
    """The keys in NEWSLETTER_PROVIDER_URL, with commas between, where that is this provider's. Raises BadProviderUrl."""
    chosen = read_provider_url(settings.NEWSLETTER_PROVIDER_URL)
    return chosen.webhook_key if chosen.scheme == provider else ""
