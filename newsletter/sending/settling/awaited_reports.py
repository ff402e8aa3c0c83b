"""Tells whether anything can still settle the uncertain people of a send without a person.

Until that is over, what is uncertain is not a person's to settle: the call may be repeated under its key, the provider is
asked for its records, or its reports are on their way.
"""

from datetime import datetime, timedelta

from newsletter.models import Batch, Send
from newsletter.providers.base.contract import Adapter, Finder
from newsletter.sending.dispatching.provider import account_label
from newsletter.sending.settling.reconcile import ASKED_FOR, MOST_REPLAYS, replayed_since
from newsletter.sending.settling.uncertain_people import people_in_doubt

REPORTS_AWAITED = timedelta(hours=1)


def has_uncertain_people(send: Send) -> bool:
    """Return True if it is unknown of anybody whether they have the mail."""
    return send.batches.filter(state=Batch.State.UNCERTAIN).exists() or people_in_doubt(send).exists()


def has_refused_batches(send: Send) -> bool:
    """Return True if the provider refused a whole batch, which only a person can settle."""
    return send.batches.filter(state=Batch.State.REJECTED, size__gt=1).exists()


def is_enquiry_under_way(send: Send, *, adapter: Adapter, now: datetime) -> bool:
    """Return True if some uncertain people may still be settled by the provider."""
    account, capabilities = account_label(), adapter.capabilities
    uncertain, doubtful = Batch.objects.filter(send=send), Batch.objects.filter(send=send)
    if capabilities.reconcile == "replay":
        start = replayed_since(capabilities, now=now)
        again = uncertain.uncertain(provider=account, start=start, end=now).filter(attempts__lt=MOST_REPLAYS)
        if again.exists():
            return True
    awaited = ASKED_FOR if isinstance(adapter, Finder) else REPORTS_AWAITED
    start = now - awaited
    return (
        uncertain.uncertain(provider=account, start=start, end=now).exists()
        or doubtful.with_people_in_doubt(provider=account, start=start, end=now).exists()
    )


def needs_person(send: Send, *, adapter: Adapter, now: datetime) -> bool:
    """Return True if a send that needs attention waits for a person, not only for the provider."""
    return has_refused_batches(send) or not is_enquiry_under_way(send, adapter=adapter, now=now)
