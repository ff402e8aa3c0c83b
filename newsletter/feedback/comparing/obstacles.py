"""Say whether a send can be compared with its provider's counts, and if not, why. Asks nobody."""

from enum import StrEnum

from newsletter.models import Attempt, Issue, Send
from newsletter.providers.base.issue_counts import IssueCounter
from newsletter.providers.registry import ADAPTERS, OUTBOX
from newsletter.sending.accounts import ProviderAccountSettings, list_usable_accounts
from newsletter.sending.adapters import account_label


class Obstacle(StrEnum):
    """Why a send is not compared."""

    TO_FILES = "to_files"
    SEVERAL_ACCOUNTS = "several_accounts"
    OTHER_ACCOUNT = "other_account"
    NO_COUNTS = "no_counts"
    WELCOME = "welcome"


def find_obstacle(send: Send) -> Obstacle | None:
    """Return why the send is not compared, or None if it is.

    Providers count by issue, and a welcome mail is one issue for all its months, of which some are still being sent.
    """
    if send.provider == OUTBOX:
        return Obstacle.TO_FILES
    account = find_counting_account(send)
    if account is None or account.provider is None:
        return Obstacle.SEVERAL_ACCOUNTS if len(_list_callees(send)) > 1 else Obstacle.OTHER_ACCOUNT
    if not issubclass(ADAPTERS[account.provider.scheme], IssueCounter):
        return Obstacle.NO_COUNTS
    return Obstacle.WELCOME if send.issue.kind == Issue.Kind.WELCOME else None


def find_counting_account(send: Send) -> ProviderAccountSettings | None:
    """Return the account that alone has, or may have, mails of the issue.

    Return None if there are several, or if its key has changed since. Each account counts its own mails.
    """
    callees, accounts = _list_callees(send), list_usable_accounts()
    if not callees:
        return next((account for account in accounts if account.label == send.provider), None)
    return next((account for account in accounts if callees == {account_label(account.name)}), None)


def _list_callees(send: Send) -> set[str]:
    """Return the labels of the accounts that may have mails of the issue."""
    attempts = Attempt.objects.filter(batch__send__issue=send.issue_id).exclude(code__in=Attempt.CODES_WITHOUT_CALL)
    taken = attempts.exclude(outcome__in=Attempt.NOT_ACCEPTED_OUTCOMES)
    return set(taken.order_by().values_list("provider", flat=True).distinct())
