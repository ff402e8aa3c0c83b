"""Whether the sweep has anything to do. While no send is under way, a few small queries answer that instead of its steps."""

from datetime import datetime

from django.db.models import Q

from newsletter.models import AccountMove, Batch, CanaryMail, ProviderAccount, Publication, Send
from newsletter.sending.canaries.send_canaries import MAX_LAST_CANARY_DELAY

_ENDED = (Send.State.SUBMITTED, Send.State.CANCELLED)


def is_anything_under_way(*, now: datetime, latest: datetime) -> bool:
    """Return True if a step of the sweep may find something to do. ``latest`` is the latest time that any limit asks for.

    A send that has ended needs the sweep for an hour if its publication uses canaries.
    """
    ended_lately = Send.objects.filter(ended_at__gt=now - MAX_LAST_CANARY_DELAY)
    return (
        Send.objects.exclude(state__in=_ENDED).exists()
        or ended_lately.exclude(issue__publication__canary=Publication.Canary.OFF).exists()
        or Batch.objects.filter(_left_in_ended_send()).exists()
        or CanaryMail.objects.filter(state=CanaryMail.State.SENDING).exists()
        or AccountMove.objects.filter(unfinished=True).exists()
        or ProviderAccount.objects.filter(
            Q(pace__lt=1) | Q(next_at__gt=latest.timestamp()) | Q(wait_until__gt=latest.timestamp())
        ).exists()
    )


def _left_in_ended_send() -> Q:
    """Return the condition of batches that need the sweep although their send has ended.

    A call of a cancelled send may be running, or may have ended with a batch to repeat. A welcome mail's send takes in new
    subscribers after it has ended.
    """
    waiting = Q(state=Batch.State.PENDING, send__state=Send.State.SUBMITTED)
    repeat = Q(state=Batch.State.PENDING, send__state=Send.State.CANCELLED) & ~Q(handed_to="")
    return Q(state=Batch.State.SUBMITTING) | waiting | repeat
