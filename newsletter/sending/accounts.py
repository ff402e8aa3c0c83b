"""The provider accounts of this installation, from its settings. It makes no adapters and calls nobody."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.conf import settings

from newsletter.common.errors import NotReady
from newsletter.common.messages import Message
from newsletter.providers.accounts import DEFAULT_ACCOUNT, explain_conflict, name_setting
from newsletter.providers.base.errors import BadProviderUrl
from newsletter.providers.base.provider_url import ProviderSettings
from newsletter.providers.registry import ADAPTERS, read_provider_url


class AccountNotUsable(NotReady):
    """A provider account is not configured, or cannot be used as it is."""


@dataclass(frozen=True)
class ProviderAccountSettings:
    """One account. ``provider`` is None if its URL cannot be read.

    ``problem`` says why it cannot be used, without a full stop; "" if it can.
    """

    name: str
    url: str = field(repr=False)
    provider: ProviderSettings | None
    problem: str = ""

    @property
    def setting(self) -> str:
        return name_setting(self.name)

    @property
    def label(self) -> str:
        """Return a description without the key, such as ``mailgun (news.example.org)``."""
        return self.provider.label if self.provider else ""

    @property
    def title(self) -> str:
        """Return the name of the provider for staff, with that of the account unless it is the default one."""
        scheme = self.provider.scheme if self.provider else ""
        title = ADAPTERS[scheme].label if scheme in ADAPTERS else scheme
        return title if self.name == DEFAULT_ACCOUNT else title + f" ({self.name})"


def list_accounts() -> list[ProviderAccountSettings]:
    """Return every configured account, that of NEWSLETTER_PROVIDER_URL first, also those that cannot be used."""
    return list(_read_accounts())


def list_usable_accounts() -> list[ProviderAccountSettings]:
    return [account for account in _read_accounts() if not account.problem]


def find_account(name: str) -> ProviderAccountSettings | None:
    """Return the account of this name, None if it is not configured."""
    return next((account for account in _read_accounts() if account.name == name), None)


def has_further_accounts() -> bool:
    return bool(settings.NEWSLETTER_FURTHER_PROVIDER_URLS)


def explain_unusable(name: str) -> str:
    """Return why the account cannot be used, "" if it can."""
    account = find_account(name)
    if account is None:
        return Message(
            "the provider account “%(account)s” is not configured: there is no %(setting)s",
            account=name,
            setting=name_setting(name),
        )
    return account.problem


def require_account(name: str) -> ProviderAccountSettings:
    """Return a usable account. Raise AccountNotUsable, for the default account BadProviderUrl."""
    if name == DEFAULT_ACCOUNT:
        url = settings.NEWSLETTER_PROVIDER_URL
        return ProviderAccountSettings(name, url, read_provider_url(url))
    account = find_account(name)
    if account is None or account.problem:
        raise AccountNotUsable(
            "Nothing was sent through the provider account “%(account)s”: %(problem)s. Correct the setting, or choose another "
            "account for the publication.",
            account=name,
            problem=explain_unusable(name),
        )
    return account


def _read_accounts() -> Iterator[ProviderAccountSettings]:
    urls = {DEFAULT_ACCOUNT: settings.NEWSLETTER_PROVIDER_URL, **settings.NEWSLETTER_FURTHER_PROVIDER_URLS}
    earlier: dict[str, ProviderSettings] = {}
    for name, url in urls.items():
        try:
            provider = read_provider_url(url, account=name)
        except BadProviderUrl as error:
            yield ProviderAccountSettings(name, url, None, error.for_setting(name_setting(name)))
            continue
        conflict = explain_conflict(name, provider, others=earlier) if DEFAULT_ACCOUNT in earlier else None
        yield ProviderAccountSettings(name, url, provider, conflict or "")
        earlier[name] = provider
