"""Tells whether anything can still settle the uncertain people of a send without a person.

Until that is over, what is uncertain is not a person's to settle: the call may be repeated under its key, the provider is
asked for its records, or its reports are on their way.
"""

from datetime import datetime, timedelta

from newsletter.models import Batch, Send
from newsletter.providers.base.contract import Adapter, BatchFinder
from newsletter.sending.provider import account_label
from newsletter.sending.settling.reconcile import ASK_PROVIDER_FOR, MAX_REPLAYS, find_replay_start
from newsletter.sending.settling.uncertain_recipients import find_uncertain_recipients

REPORTS_AWAITED = timedelta(hours=1)


def has_uncertain_recipients(send: Send) -> bool:
    """Return True if it is unknown of anybody whether they have the mail."""
    return send.batches.filter(state=Batch.State.UNCERTAIN).exists() or find_uncertain_recipients(send).exists()


def has_refused_batches(send: Send) -> bool:
    """Return True if the provider refused a whole batch, which only a person can settle."""
    return send.batches.filter(state=Batch.State.REJECTED, size__gt=1).exists()


def is_enquiry_under_way(send: Send, *, adapter: Adapter, now: datetime) -> bool:
    """Return True if some uncertain people may still be settled by the provider."""
    account, capabilities = account_label(), adapter.capabilities
    uncertain, doubtful = Batch.objects.filter(send=send), Batch.objects.filter(send=send)
    if capabilities.reconcile == "replay":
        start = find_replay_start(capabilities, now=now)
        again = uncertain.uncertain(provider=account, start=start, end=now).filter(attempts__lt=MAX_REPLAYS)
        if again.exists():
            return True
    awaited = ASK_PROVIDER_FOR if isinstance(adapter, BatchFinder) else REPORTS_AWAITED
    start = now - awaited
    return (
        uncertain.uncertain(provider=account, start=start, end=now).exists()
        or doubtful.with_uncertain_recipients(provider=account, start=start, end=now).exists()
    )


def needs_person(send: Send, *, adapter: Adapter, now: datetime) -> bool:
    """Return True if a send that needs attention waits for a person, not only for the provider."""
    return has_refused_batches(send) or not is_enquiry_under_way(send, adapter=adapter, now=now)
