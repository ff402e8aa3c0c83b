"""The provider that this installation sends through, from its settings."""

from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

from newsletter.models import Issue, Send
from newsletter.providers.accounts import DEFAULT_ACCOUNT
from newsletter.providers.base.contract import Adapter
from newsletter.providers.base.issue_counts import CountsReader, IssueCounter
from newsletter.providers.base.provider_adapter import AccountTester
from newsletter.providers.outbox.adapter import find_issue_folder
from newsletter.providers.outbox.index import write_index
from newsletter.providers.registry import OUTBOX, make_adapter, make_provider_label, read_provider_url
from newsletter.sending.accounts import (
    AccountNotUsable,
    explain_unusable,
    find_account,
    list_usable_accounts,
    require_account,
)
from newsletter.sending.limits.rate_limit import name_rate
from newsletter.sending.limits.recipient_allowlist import apply_allowlist, is_sending_blocked


def current_adapter() -> Adapter:
    """Return the adapter of NEWSLETTER_PROVIDER_URL behind the recipient allowlist. Raise BadProviderUrl.

    Only this module makes adapters, so the allowlist cannot be bypassed.
    """
    return account_adapter(DEFAULT_ACCOUNT)


def account_adapter(account: str) -> Adapter:
    """Return the adapter of an account behind the recipient allowlist. Raise BadProviderUrl or AccountNotUsable."""
    chosen = require_account(account)
    return apply_allowlist(_adapter(chosen.url, outbox_folder(), account), provider=chosen.provider)


def make_trial_adapter(url: str) -> Adapter:
    """Return the adapter of another URL behind the recipient allowlist. Close it after use. Raise BadProviderUrl."""
    return apply_allowlist(make_adapter(url), provider=read_provider_url(url))


def find_account_tester(url: str, *, account: str = DEFAULT_ACCOUNT) -> AccountTester | None:
    """Return an adapter that can test an account without sending, or None. Close it after use. Raise BadProviderUrl."""
    adapter = make_adapter(url, account=account) if read_provider_url(url).scheme != OUTBOX else None
    return adapter if isinstance(adapter, AccountTester) else None


def find_issue_counters() -> dict[str, CountsReader]:
    """Return the readers of an issue's counts, by account, of the providers that count. They cannot send."""
    adapters = {
        account.name: _adapter(account.url, outbox_folder(), account.name) for account in list_usable_accounts()
    }
    return {name: CountsReader(adapter) for name, adapter in adapters.items() if isinstance(adapter, IssueCounter)}


def can_mail_leave(account: str = DEFAULT_ACCOUNT) -> bool:
    """Return False if nobody gets mail through the account: it cannot be used, writes to files, or is blocked."""
    return not explain_unusable(account) and not writes_to_files(account) and not is_sending_blocked(account)


def writes_to_files(account: str) -> bool:
    """Return True if the account is the outbox, which mails nobody. One that cannot be used writes nothing."""
    chosen = find_account(account)
    if chosen is None or chosen.provider is None or chosen.problem:
        return False
    return chosen.provider.scheme == OUTBOX


def provider_label(account: str = DEFAULT_ACCOUNT) -> str:
    """Return a description of an account's provider without its key. Raise BadProviderUrl or AccountNotUsable."""
    return make_provider_label(require_account(account).url)


def account_label(account: str = DEFAULT_ACCOUNT) -> str:
    """Return a name that identifies a provider account and reveals nothing of its key.

    Raise BadProviderUrl or AccountNotUsable.
    """
    provider = read_provider_url(require_account(account).url)
    identity = [provider.scheme, provider.key, provider.secret, provider.domain, provider.endpoint]
    key = settings.SUBSCRIBERS_ADDRESS_KEY.encode()[:64]
    return f"{provider.scheme}:{blake2b('|'.join(identity).encode(), key=key, digest_size=8).hexdigest()}"


class AccountInUse(NamedTuple):
    """A provider account that this process calls. Attempts store its ``label``; ``rate`` names the row of its rate limit."""

    name: str
    label: str
    adapter: Adapter

    @property
    def rate(self) -> str:
        return name_rate(self.adapter.capabilities, self.name)


class AccountsInUse:
    """The provider accounts that this process calls. Each is made when it is first needed, except the default one."""

    def __init__(self, *, default: Adapter) -> None:
        self._made = {DEFAULT_ACCOUNT: AccountInUse(DEFAULT_ACCOUNT, account_label(), default)}

    def find(self, name: str) -> AccountInUse | None:
        """Return the account, None if it cannot be used."""
        if name not in self._made:
            try:
                self._made[name] = AccountInUse(name, account_label(name), account_adapter(name))
            except AccountNotUsable:
                return None
        return self._made[name]


def further_adapters() -> dict[str, Adapter]:
    """Return the adapters of the further accounts that can be used, by name."""
    names = [account.name for account in list_usable_accounts()]
    return {name: account_adapter(name) for name in names if name != DEFAULT_ACCOUNT}


def outbox_folder() -> Path:
    return Path(settings.NEWSLETTER_DATA_DIR) / "outbox"


def find_outbox_folder(issue: Issue) -> Path:
    """Return the folder in which the outbox keeps the mails of an issue."""
    return find_issue_folder(outbox=outbox_folder(), issue=issue.public_id)


def write_outbox_index(send: Send) -> None:
    """Update the index page of a finished send if the outbox is the provider and contains a mail of it."""
    folder = find_outbox_folder(send.issue)
    if send.provider == OUTBOX and folder.is_dir():
        write_index(folder)


@lru_cache(maxsize=32)
def _adapter(url: str, outbox: Path, account: str) -> Adapter:
    return make_adapter(url, outbox_dir=outbox, account=account)
