"""Delete the rows about recipients and excluded people 90 days after a send's end. Keep its receipt as numbers.

The links of its mails keep working. Unsubscribing by one no longer changes the receipt.
"""

from dataclasses import asdict
from datetime import datetime, timedelta

from django.db import transaction

from newsletter.issues.welcome.joined_people import forget_old_people
from newsletter.models import Attempt, CountComparison, Delivered, Delivery, Exclusion, Send
from newsletter.sending.settling.receipt import delete_unsubscribed, make_receipt
from subscribers.models import CountedUnsubscribe
from subscribers.people.replies import forget_replied_issue

RETENTION = timedelta(days=90)
SLICE_ROWS, MAX_SLICES = 20_000, 50
ENDED_STATES = (Send.State.SUBMITTED, Send.State.CANCELLED)


def delete_old_deliveries(*, now: datetime) -> int:
    """Delete up to ``MAX_SLICES`` slices of old rows; the next call deletes the rest. Return the number of rows deleted."""
    deleted, slices = 0, MAX_SLICES
    forget_old_people(now=now, retention=RETENTION)
    old = Send.objects.filter(state__in=ENDED_STATES, ended_at__lt=now - RETENTION, purged_at__isnull=True).order_by(
        "pk"
    )
    for send in old:
        if send.totals is None:
            Send.objects.filter(pk=send.pk).update(totals=asdict(make_receipt(send)))
        while slices > 0:
            rows = _delete_slice(send)
            deleted += rows
            slices -= 1
            if not rows:
                Delivered.objects.filter(send=send).delete()
                CountComparison.objects.filter(send=send).delete()
                Attempt.objects.filter(batch__send=send).update(fingerprints=b"")
                delete_unsubscribed(send)
                forget_replied_issue(send.issue_id)
                Send.objects.filter(pk=send.pk).update(purged_at=now)
                break
    _delete_late_unsubscribes()
    return deleted


def _delete_late_unsubscribes() -> None:
    """Delete the unsubscribes by links of sends whose rows were deleted before."""
    purged = Send.objects.filter(purged_at__isnull=False)
    for send in purged.filter(pk__in=CountedUnsubscribe.objects.values("mailing").distinct()):
        delete_unsubscribed(send)


@transaction.atomic
def _delete_slice(send: Send) -> int:
    rows = list(Delivery.objects.filter(batch__send=send).values_list("pk", flat=True)[:SLICE_ROWS])
    if rows:
        return Delivery.objects.filter(pk__in=rows).delete()[1].get(Delivery._meta.label, 0)
    left_out = list(Exclusion.objects.filter(send=send).values_list("pk", flat=True)[:SLICE_ROWS])
    return Exclusion.objects.filter(pk__in=left_out).delete()[0]
