"""Our own numbers and people of an issue, over all its sends.

Providers count by issue, and there can be a second send after a cancelled one.
"""

from collections.abc import Collection

from django.db.models import Q

from newsletter.feedback.comparing.decide import OwnCounts
from newsletter.models import Batch, Delivery, DeliveryException, Send
from newsletter.providers.base.issue_counts import Figure
from newsletter.sending.settling.delivered_bitmap import DeliveredBits
from newsletter.sending.settling.receipt import make_receipts

_ACCEPTED = Q(batch__state__in=[Batch.State.ACCEPTED, Batch.State.PARTIAL]) & (
    Q(exception__isnull=True) | Q(exception__state="")
)
_UNCERTAIN = Q(exception__state=DeliveryException.State.UNCERTAIN) | Q(
    Q(exception__isnull=True) | Q(exception__state=""),
    batch__state__in=[Batch.State.UNCERTAIN, Batch.State.WRITTEN_OFF],
)


def list_sends(send: Send) -> list[Send]:
    """Return the sends of the issue that began."""
    return list(Send.objects.filter(issue=send.issue_id, started_at__isnull=False))


def count_own(sends: Collection[Send]) -> OwnCounts:
    """Return the sum of the receipts. Raise InvariantViolated if one does not add up."""
    receipts = make_receipts(sends)
    return OwnCounts(
        accepted=sum(receipt.deliveries["accepted"] for receipt in receipts),
        uncertain=sum(receipt.deliveries["uncertain"] for receipt in receipts),
        delivered=sum(receipt.delivered for receipt in receipts),
        bounced=sum(receipt.bounced for receipt in receipts),
        complained=sum(receipt.complained for receipt in receipts),
    )


def find_people(sends: Collection[Send], *, figure: Figure) -> set[int]:
    """Return the ids of the deliveries that a figure counts."""
    deliveries = Delivery.objects.filter(batch__send__in=sends)
    if figure is Figure.DELIVERED:
        bits = [DeliveredBits(send) for send in sends]
        everybody = deliveries.values_list("pk", flat=True).iterator(chunk_size=10_000)
        return {pk for pk in everybody if any(pk in each for each in bits)}
    conditions = {
        Figure.ACCEPTED: _ACCEPTED,
        Figure.BOUNCED: Q(exception__bounced_at__isnull=False),
        Figure.COMPLAINED: Q(exception__complained_at__isnull=False),
    }
    return set(deliveries.filter(conditions[figure]).values_list("pk", flat=True))


def find_uncertain_people(sends: Collection[Send]) -> set[int]:
    return set(Delivery.objects.filter(_UNCERTAIN, batch__send__in=sends).values_list("pk", flat=True))


def keep_own_records(records: dict[int, str], *, sends: Collection[Send]) -> set[int]:
    """Return the deliveries whose batch is ours: another installation on the same account has the same delivery ids."""
    keys = dict(Batch.objects.filter(send__in=sends).values_list("key", "pk"))
    own = set(Delivery.objects.filter(batch__send__in=sends, pk__in=list(records)).values_list("pk", flat=True))
    return {delivery for delivery, key in records.items() if delivery in own and key in keys}
