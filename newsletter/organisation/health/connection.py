"""Try a provider's key without sending anything: read the first page of the provider's suppression list."""

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from newsletter.common.errors import DomainError
from newsletter.providers.base.suppression_lists import SuppressionLister
from newsletter.sending.provider import make_trial_adapter


@dataclass(frozen=True)
class Connection:
    """``works``, ``refused`` with a reason, or ``untested`` for a provider without a list to read."""

    state: Literal["works", "refused", "untested"]
    reason: str = ""


def try_connection(url: str, *, now: datetime) -> Connection:
    """Call the provider once with the key of the URL. Nothing is sent and nothing is stored."""
    try:
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
