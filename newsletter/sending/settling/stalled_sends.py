"""Find sends that make no progress because no scheduler or no worker runs."""

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from newsletter.models import Batch, Send

STALLED_AFTER = timedelta(minutes=10)


def find_unstarted_sends(*, now: datetime) -> QuerySet[Send]:
    """Return the sends that somebody requested and that do not start."""
    return Send.objects.filter(state__in=[Send.State.PREPARING, Send.State.READY], made_at__lt=now - STALLED_AFTER)


def find_abandoned_batches(*, now: datetime) -> QuerySet[Batch]:
    """Return the batches whose lease expired long ago, and those of a send that made no call for as long."""
    expired = Q(state=Batch.State.SUBMITTING, lease_until__lt=now - STALLED_AFTER)
    postponed = Q(not_before__gt=now - STALLED_AFTER) | Q(send__not_before__gt=now - STALLED_AFTER)
    busy = Q(send__batches__attempts__started_at__gt=now - STALLED_AFTER)
    waiting = Q(state=Batch.State.PENDING, send__state=Send.State.SUBMITTING, send__started_at__lt=now - STALLED_AFTER)
    hour_to_come = Q(due_at__gt=now - STALLED_AFTER) | Q(waits=True)
    return Batch.objects.filter(expired | (waiting & ~hour_to_come & ~postponed & ~busy))


def find_stalled_sends(*, now: datetime) -> QuerySet[Send]:
    """Return the sends that do not start, or of which a batch is abandoned. Sends that wait for a person are not among them."""
    live = Send.objects.filter(state__in=[Send.State.PREPARING, Send.State.READY, Send.State.SUBMITTING])
    unstarted, abandoned = find_unstarted_sends(now=now), find_abandoned_batches(now=now)
    return live.filter(Q(pk__in=unstarted.values("pk")) | Q(pk__in=abandoned.values("send"))).order_by("pk")
