"""The webhook URL of each provider account, which contains a secret, and the keys that verify its webhooks."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings

from newsletter.feedback.webhook_setup.keys import read_former_keys, read_stored_keys
from newsletter.providers.accounts import DEFAULT_ACCOUNT, name_setting
from newsletter.providers.base.errors import BadWebhook
from newsletter.providers.base.webhooks.verification import require_keys, split_keys
from newsletter.providers.registry import find_webhook_handler, read_provider_url
from newsletter.sending.accounts import ProviderAccountSettings, list_accounts

_SECRET_BYTES = 24


def webhook_secret(provider: str, account: str = DEFAULT_ACCOUNT) -> str:
    """Return the secret part of the URL. It changes only with the address key."""
    whose = provider if account == DEFAULT_ACCOUNT else f"{provider}/{account}"
    made = hmac.digest(
        str(settings.SUBSCRIBERS_ADDRESS_KEY).encode(), f"newsletter.hooks.{whose}".encode(), hashlib.sha256
    )
    return base64.urlsafe_b64encode(made[:_SECRET_BYTES]).decode("ascii")


def webhook_url(provider: str, account: str = DEFAULT_ACCOUNT) -> str:
    """Return the URL to enter at the provider. Raise BadWebhook for a provider without webhooks."""
    name = find_webhook_handler(provider).name
    return f"{settings.NEWSLETTER_SITE_URL}/hooks/{name}/{webhook_secret(name, account)}"


def find_account_of_secret(*, provider: str, secret: str) -> str:
    """Return the account whose URL has this secret. Raise BadWebhook if none has.

    The URL of the default account takes the reports of every account at the same provider.
    """
    for account in (DEFAULT_ACCOUNT, *(listed.name for listed in _list_at(provider))):
        if hmac.compare_digest(webhook_secret(provider, account).encode(), secret.encode()):
            return account
    raise BadWebhook(
        "The webhook URL is not the one of this provider, so the report was refused. Copy it from `newsletter doctor`."
    )


def find_reporting_account(*, provider: str, address: str) -> str | None:
    """Return the account that reports to the address of the account ``address``; None if only its reports can tell.

    All accounts at the provider may report to the address of the default account.
    """
    if address != DEFAULT_ACCOUNT:
        return address
    names = list_account_names(provider)
    return names[0] if len(names) == 1 else None


def list_account_names(provider: str) -> list[str]:
    """Return the names of the accounts at this provider, also if the default account cannot be read."""
    return [account.name for account in list_accounts() if account.provider and account.provider.scheme == provider]


def is_configured(provider: str) -> bool:
    """Return True if an account of this installation sends through this provider. Raise BadProviderUrl."""
    return bool(_list_at(provider))


def require_key(provider: str) -> None:
    """Raise BadWebhook if no configured account has a key. A provider that signs nothing must send a password or a token."""
    settings_of_accounts = [name_setting(name) for name in list_account_names(provider)]
    require_keys(
        webhook_key(provider),
        provider=provider,
        setting=" or ".join(settings_of_accounts),
        by_hand=find_webhook_handler(provider).key_by_hand,
    )


def webhook_key(provider: str) -> str:
    """Return the keys of all accounts at this provider and those of their set-up, comma-separated; "" for another provider.

    A report of any account finds its delivery by our ids, so any of the keys verifies it. Raise BadProviderUrl.
    """
    keys = [key for account in _list_at(provider) for key in list_account_keys(account)]
    return ",".join(dict.fromkeys(keys))


def list_former_keys(provider: str, *, now: datetime) -> Sequence[tuple[str, str]]:
    """Return account and key of the accounts that left this provider a short time ago, or have another name now.

    Empty for a provider without a configured account. Raise BadProviderUrl.
    """
    names = [account.name for account in _list_at(provider)]
    return read_former_keys(provider, configured=names, now=now) if names else []


def list_account_keys(account: ProviderAccountSettings) -> list[str]:
    """Return the keys of one account: those of its setting, then those of its set-up."""
    if account.provider is None:
        return []
    keys_in_settings = split_keys(account.provider.webhook_key)
    return list(dict.fromkeys([*keys_in_settings, *read_stored_keys(account.provider.scheme, account=account.name)]))


def _list_at(provider: str) -> list[ProviderAccountSettings]:
    """Return the accounts at this provider. Raise BadProviderUrl if the URL of the default account cannot be read."""
    read_provider_url(settings.NEWSLETTER_PROVIDER_URL)
    return [account for account in list_accounts() if account.provider and account.provider.scheme == provider]
