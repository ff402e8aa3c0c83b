"""After 90 days a finished send keeps its receipt as numbers; the rows of its people are deleted, a slice at a time.

Its links work for ever. Whoever unsubscribes by one after that changes the receipt no more.
"""

from dataclasses import asdict
from datetime import datetime, timedelta

from django.db import transaction

from newsletter.models import Delivered, Delivery, Send
from newsletter.sending.settling.receipt import make_receipt
from newsletter.sending.settling.unsubscribed import delete_unsubscribed
from subscribers.models import CountedUnsubscribe

KEPT = timedelta(days=90)
SLICE_ROWS = 20_000
ENDED_STATES = (Send.State.SUBMITTED, Send.State.CANCELLED)


def delete_old_deliveries(*, now: datetime, slices: int = 50) -> int:
    """Shrink sends that ended more than 90 days ago. Returns how many rows were deleted; the rest follow next time."""
    deleted = 0
    old = Send.objects.filter(state__in=ENDED_STATES, ended_at__lt=now - KEPT, forgotten_at__isnull=True).order_by("pk")
    for send in old:
        if send.totals is None:
            Send.objects.filter(pk=send.pk).update(totals=asdict(make_receipt(send)))
        while slices > 0:
            gone = _delete_slice(send)
            deleted += gone
            slices -= 1
            if not gone:
                Delivered.objects.filter(send=send).delete()
                delete_unsubscribed(send)
                Send.objects.filter(pk=send.pk).update(forgotten_at=now)
                break
    _forget_late_unsubscribes()
    return deleted


def _forget_late_unsubscribes() -> None:
    forgotten = Send.objects.filter(forgotten_at__isnull=False)
    for send in forgotten.filter(pk__in=CountedUnsubscribe.objects.values("mailing").distinct()):
        delete_unsubscribed(send)


@transaction.atomic
def _delete_slice(send: Send) -> int:
    rows = list(Delivery.objects.filter(batch__send=send).values_list("pk", flat=True)[:SLICE_ROWS])
    return Delivery.objects.filter(pk__in=rows).delete()[1].get(Delivery._meta.label, 0)
