"""Try a provider's account without sending anything: sign in, or read the first page of its suppression list."""

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from newsletter.common.errors import DomainError
from newsletter.providers.base.suppression_lists import SuppressionLister
from newsletter.sending.adapters import find_account_tester, make_trial_adapter


@dataclass(frozen=True)
class Connection:
    """``works``, ``refused`` with a reason, or ``untested`` for a provider with neither a sign-in nor a list to read."""

    state: Literal["works", "refused", "untested"]
    reason: str = ""


def try_connection(url: str, *, now: datetime) -> Connection:
    """Call the provider once with the key of the URL. Nothing is sent and nothing is stored."""
    try:
        if tester := find_account_tester(url):
            with closing(tester):
                tester.test_account()
                return Connection("works")
        adapter = make_trial_adapter(url)
    except DomainError as error:
        return Connection("refused", error.message)
    with closing(adapter):
        if not isinstance(adapter, SuppressionLister):
            return Connection("untested")
        try:
            next(iter(adapter.list_suppressed(since=now)), None)
        except DomainError as error:
            return Connection("refused", error.message)
    return Connection("works")
