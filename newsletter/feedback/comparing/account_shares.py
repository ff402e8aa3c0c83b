"""List the accounts with mails of an issue: which are compared with their provider's counts, and why others are not.

Asks nobody.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from newsletter.models import Attempt, Issue, Send
from newsletter.providers.accounts import DEFAULT_ACCOUNT
from newsletter.providers.base.issue_counts import IssueCounter
from newsletter.providers.registry import ADAPTERS, OUTBOX
from newsletter.sending.accounts import ProviderAccountSettings, list_usable_accounts
from newsletter.sending.adapters import account_label


class Obstacle(StrEnum):
    """Why the mails of an account are not compared."""

    TO_FILES = "to_files"
    OTHER_ACCOUNT = "other_account"
    UNKNOWN_ACCOUNT = "unknown_account"
    NO_COUNTS = "no_counts"
    WELCOME = "welcome"


@dataclass(frozen=True)
class AccountShare:
    """The mails of an issue that one account has or may have.

    ``name`` is its name in the settings. ``account`` is None if the settings do not have its key any more. ``batch_accounts``
    are the names in its batches; None means all batches of the issue, because no other account has any.
    """

    name: str
    account: ProviderAccountSettings | None
    batch_accounts: Collection[str] | None
    obstacle: Obstacle | None


def list_shares(send: Send) -> list[AccountShare]:
    """Return the share of each account, that of the default account first. There is at least one.

    Each account counts its own mails, under the key that it was called with.
    """
    if send.provider == OUTBOX:
        return [AccountShare(DEFAULT_ACCOUNT, None, None, Obstacle.TO_FILES)]
    usable = list_usable_accounts()
    labels = _list_callees(send)
    if not labels:
        account = next((candidate for candidate in usable if candidate.label == send.provider), None)
        return [_make_share(send, account, name=DEFAULT_ACCOUNT)]
    if any("" in callees for callees in labels.values()):
        return [AccountShare(DEFAULT_ACCOUNT, None, None, Obstacle.UNKNOWN_ACCOUNT)]
    # Two keys under one name cannot be told apart by the batches, so neither is compared.
    ambiguous = set().union(*(callees for callees in labels.values() if len(callees) > 1))
    by_label = {account_label(account.name): account for account in usable}
    groups: dict[tuple[str, bool], list[str]] = defaultdict(list)
    for batch_account, callees in labels.items():
        account = None if callees & ambiguous else by_label.get(min(callees))
        groups[account.name if account else batch_account, account is not None].append(batch_account)
    by_name = {account.name: account for account in usable}
    shares = [
        _make_share(
            send, by_name[name] if is_known else None, name=name, batch_accounts=None if len(groups) == 1 else names
        )
        for (name, is_known), names in groups.items()
    ]
    return sorted(shares, key=lambda share: (share.name != DEFAULT_ACCOUNT, share.name, share.account is None))


def find_called_scheme(send: Send, *, account: str) -> str:
    """Return the provider that an account called for the issue, by its batches; "" if that is not known."""
    calls = Attempt.objects.filter(batch__send__issue=send.issue_id, batch__account=account)
    calls = calls.exclude(code__in=Attempt.CODES_WITHOUT_CALL).exclude(provider="")
    newest = calls.order_by("-pk").values_list("provider", flat=True).first() or ""
    return newest.partition(":")[0]


def _make_share(
    send: Send, account: ProviderAccountSettings | None, *, name: str, batch_accounts: Collection[str] | None = None
) -> AccountShare:
    return AccountShare(account.name if account else name, account, batch_accounts, _find_obstacle(send, account))


def _find_obstacle(send: Send, account: ProviderAccountSettings | None) -> Obstacle | None:
    """Return why the account's mails are not compared.

    Providers count by issue, and a welcome mail is one issue for all its months, of which some are still being sent.
    """
    if account is None or account.provider is None:
        return Obstacle.OTHER_ACCOUNT
    if account.provider.scheme == OUTBOX:
        return Obstacle.TO_FILES
    if not issubclass(ADAPTERS[account.provider.scheme], IssueCounter):
        return Obstacle.NO_COUNTS
    return Obstacle.WELCOME if send.issue.kind == Issue.Kind.WELCOME else None


def _list_callees(send: Send) -> dict[str, set[str]]:
    """Map the accounts of the issue's batches to the labels of the accounts that were called and may have mails."""
    attempts = Attempt.objects.filter(batch__send__issue=send.issue_id).exclude(code__in=Attempt.CODES_WITHOUT_CALL)
    maybe_accepted = attempts.exclude(outcome__in=Attempt.NOT_ACCEPTED_OUTCOMES)
    labels: dict[str, set[str]] = defaultdict(set)
    for batch_account, label in maybe_accepted.order_by().values_list("batch__account", "provider").distinct():
        labels[batch_account].add(label)
    return labels
