"""The webhook URL of each provider, which contains a secret, and the keys that verify its webhooks."""

import base64
import hashlib
import hmac

from django.conf import settings

from newsletter.feedback.webhook_setup.keys import read_stored_keys
from newsletter.providers.base.errors import BadWebhook
from newsletter.providers.base.provider_url import ProviderSettings
from newsletter.providers.base.webhooks.verification import require_keys, split_keys
from newsletter.providers.registry import find_webhook_handler, read_provider_url
from newsletter.sending.accounts import list_accounts

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
        raise BadWebhook(
            "The webhook URL is not the one of this provider, so the report was refused. Copy it from `newsletter doctor`."
        )


def is_configured(provider: str) -> bool:
    """Return True if an account of this installation sends through this provider. Raise BadProviderUrl."""
    return any(chosen.scheme == provider for chosen in _list_chosen())


def require_key(provider: str) -> None:
    """Raise BadWebhook if no key is set. A provider that signs nothing must send a password or a token."""
    require_keys(webhook_key(provider), provider=provider)


def webhook_key(provider: str) -> str:
    """Return the keys of all accounts at this provider and those of the set-up, comma-separated; "" for another provider.

    A report of any account finds its delivery by our ids, so any of the keys verifies it. Raise BadProviderUrl.
    """
    chosen = [each for each in _list_chosen() if each.scheme == provider]
    if not chosen:
        return ""
    given = list(dict.fromkeys(key for each in chosen for key in split_keys(each.webhook_key)))
    return ",".join([*given, *(key for key in read_stored_keys(provider) if key not in given)])


def _list_chosen() -> list[ProviderSettings]:
    """Return the provider of the default account and those of the further ones. Raise BadProviderUrl for the default one."""
    default = read_provider_url(settings.NEWSLETTER_PROVIDER_URL)
    return [default, *(account.provider for account in list_accounts()[1:] if account.provider)]
