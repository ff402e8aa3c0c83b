"""Decide if a provider may still settle the uncertain people of a send, so that staff need not.

The call may be repeated under its key, the provider's records can be read, or its reports are still expected.
"""

from datetime import datetime, timedelta

from newsletter.models import Batch, Send
from newsletter.providers.accounts import DEFAULT_ACCOUNT
from newsletter.providers.base.contract import Adapter, BatchFinder
from newsletter.sending.adapters import account_label, further_adapters
from newsletter.sending.settling.reconcile import ASK_PROVIDER_FOR, MAX_REPLAYS, find_replay_start
from newsletter.sending.settling.uncertain_recipients import find_uncertain_recipients

REPORTS_AWAITED = timedelta(hours=1)


def has_uncertain_recipients(send: Send) -> bool:
    """Return True if it is unknown for anybody whether they have the mail."""
    return send.batches.filter(state=Batch.State.UNCERTAIN).exists() or find_uncertain_recipients(send).exists()


def has_refused_batches(send: Send) -> bool:
    """Return True if the provider refused all of a batch, which only staff can settle."""
    return send.batches.filter(state=Batch.State.REJECTED, size__gt=1).exists()


def is_enquiry_under_way(send: Send, *, adapter: Adapter, now: datetime) -> bool:
    """Return True if a provider account may still settle some uncertain people. ``adapter``: that of the default account."""
    accounts = {DEFAULT_ACCOUNT: adapter, **further_adapters()}
    return any(
        _may_settle(send, account=account_label(name), adapter=account_adapter, now=now)
        for name, account_adapter in accounts.items()
    )


def _may_settle(send: Send, *, account: str, adapter: Adapter, now: datetime) -> bool:
    capabilities = adapter.capabilities
    if capabilities.reconcile == "none":
        return False
    batches = Batch.objects.filter(send=send)
    if capabilities.reconcile == "replay":
        start = find_replay_start(capabilities, now=now)
        repeatable = batches.uncertain(provider=account, start=start, end=now).filter(attempt_number__lt=MAX_REPLAYS)
        if repeatable.exists():
            return True
    start = now - (ASK_PROVIDER_FOR if isinstance(adapter, BatchFinder) else REPORTS_AWAITED)
    return (
        batches.uncertain(provider=account, start=start, end=now).exists()
        or batches.with_uncertain_recipients(provider=account, start=start, end=now).exists()
    )


def needs_person(send: Send, *, adapter: Adapter, now: datetime) -> bool:
    """Return True if a send that needs attention waits for staff and not only for the provider."""
    return has_refused_batches(send) or not is_enquiry_under_way(send, adapter=adapter, now=now)
