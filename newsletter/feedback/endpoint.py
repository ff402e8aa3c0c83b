"""The webhook URL of each provider, which contains a secret, and the keys that verify its webhooks."""

import base64
import hashlib
import hmac

from django.conf import settings

from newsletter.feedback.webhook_setup.keys import read_stored_keys
from newsletter.providers.base.errors import BadWebhook
from newsletter.providers.base.webhooks.verification import require_keys, split_keys
from newsletter.providers.registry import find_webhook_handler, read_provider_url

_SECRET_BYTES = 24


def webhook_secret(provider: str) -> str:
    """Return the secret part of the URL. It changes only with the address key."""
    made = hmac.digest(
        str(settings.SUBSCRIBERS_ADDRESS_KEY).encode(), f"newsletter.hooks.{provider}".encode(), hashlib.sha256
    )
    return base64.urlsafe_b64encode(made[:_SECRET_BYTES]).decode("ascii")


def webhook_url(provider: str) -> str:
    """Return the URL to enter at the provider. Raise BadWebhook for a provider without webhooks."""
    name = find_webhook_handler(provider).name
    return f"{settings.NEWSLETTER_SITE_URL}/hooks/{name}/{webhook_secret(name)}"


def check_secret(*, provider: str, secret: str) -> None:
    """Raise BadWebhook if the secret is not the one of this provider's URL."""
    if not hmac.compare_digest(webhook_secret(provider).encode(), secret.encode()):
        raise BadWebhook("The webhook URL is not the one of this provider. Copy it from `newsletter doctor`.")


def is_configured(provider: str) -> bool:
    """Return True if mail is sent through this provider. Raise BadProviderUrl."""
    return read_provider_url(settings.NEWSLETTER_PROVIDER_URL).scheme == provider


def require_key(provider: str) -> None:
    """Raise BadWebhook if no key is set. A provider that signs nothing must send a password or a token."""
    require_keys(webhook_key(provider), provider=provider)


def webhook_key(provider: str) -> str:
    """Return the keys of NEWSLETTER_PROVIDER_URL and those of the set-up, comma-separated; "" for another provider.

    Raise BadProviderUrl.
    """
    chosen = read_provider_url(settings.NEWSLETTER_PROVIDER_URL)
    if chosen.scheme != provider:
        return ""
    given = split_keys(chosen.webhook_key)
    return ",".join([*given, *(key for key in read_stored_keys(provider) if key not in given)])
