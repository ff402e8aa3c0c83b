"""The names of provider accounts, and what two accounts may not share. Nothing here reads settings."""

import re
from collections.abc import Mapping

from newsletter.common.messages import Message
from newsletter.providers.base.errors import DEFAULT_URL_SETTING
from newsletter.providers.base.provider_url import ProviderSettings

DEFAULT_ACCOUNT = "default"
"""The account of NEWSLETTER_PROVIDER_URL."""
MAX_ACCOUNT_LENGTH = 30
URL_SETTING = DEFAULT_URL_SETTING
FURTHER_SETTING = re.compile(rf"{URL_SETTING}_(?P<name>[A-Z][A-Z0-9_]{{0,{MAX_ACCOUNT_LENGTH - 1}}})")
OUTBOX_SCHEME = "outbox"
_MAIL_SERVERS = ("smtp", "smtps")


def name_setting(account: str) -> str:
    """Return the name of the setting with the URL of an account."""
    return URL_SETTING if account == DEFAULT_ACCOUNT else f"{URL_SETTING}_{account.upper()}"


def explain_conflict(
    account: str, provider: ProviderSettings, *, others: Mapping[str, ProviderSettings]
) -> Message | None:
    """Return why a further account cannot be used together with the earlier ones; None if it can."""
    setting = name_setting(account)
    if provider.scheme == OUTBOX_SCHEME:
        return Message(
            "%(setting)s is outbox://, which writes mails to files: people would count as mailed and get nothing. Name a "
            "real provider, or take the setting out",
            setting=setting,
        )
    if others[DEFAULT_ACCOUNT].scheme == OUTBOX_SCHEME:
        return Message(
            "%(setting)s is not used while %(default)s is outbox://, because what is written to files counts as not sent. "
            "Name a real provider there first",
            setting=setting,
            default=URL_SETTING,
        )
    for name, earlier in others.items():
        if provider.key and _identify(provider) == _identify(earlier):
            return Message(
                "%(setting)s and %(other)s have the same key, so they are one account: if one is locked, so is the other. "
                "Make a key of its own for each, and for each sending domain",
                setting=setting,
                other=name_setting(name),
            )
    return None


def _identify(provider: ProviderSettings) -> tuple[str, ...]:
    """Return what makes a key one account. A mail server's user name means something on that server only."""
    if provider.scheme in _MAIL_SERVERS:
        return ("smtp", provider.domain, provider.key)
    return (provider.scheme, provider.endpoint, provider.key)
