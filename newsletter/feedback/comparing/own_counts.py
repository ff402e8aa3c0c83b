"""Our own numbers and people of an issue, over all its sends, of all accounts or of one.

Providers count by issue, and there can be a second send after a cancelled one.
"""

from collections.abc import Collection

from django.db.models import Count, Q, QuerySet

from newsletter.feedback.comparing.account_shares import AccountShare
from newsletter.feedback.comparing.compare_counts import OwnCounts
from newsletter.models import Batch, Delivery, DeliveryException, Send
from newsletter.providers.base.issue_counts import Figure
from newsletter.sending.settling.delivered_bitmap import DeliveredBits, count_delivered
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


def count_own(sends: Collection[Send], *, share: AccountShare) -> OwnCounts:
    """Return the sum of the receipts. Raise InvariantViolated if one does not add up.

    Those whom a provider did not try to mail count as bounced, as in the counts of providers.
    """
    receipts = make_receipts(sends)
    accounts = share.batch_accounts
    if accounts is None:
        return OwnCounts(
            accepted=sum(receipt.deliveries["accepted"] for receipt in receipts),
            uncertain=sum(receipt.deliveries["uncertain"] for receipt in receipts),
            delivered=sum(receipt.delivered for receipt in receipts),
            bounced=sum(receipt.bounced + receipt.unsent for receipt in receipts),
            complained=sum(receipt.complained for receipt in receipts),
        )
    states = [receipt.accounts[name] for receipt in receipts for name in accounts if name in receipt.accounts]
    exceptions = DeliveryException.objects.filter(delivery__batch__in=find_batches(sends, share=share).values("pk"))
    reported = exceptions.aggregate(
        bounced=Count("pk", filter=Q(bounced_at__isnull=False)),
        complained=Count("pk", filter=Q(complained_at__isnull=False)),
    )
    return OwnCounts(
        accepted=sum(counts_of_batch["accepted"] for counts_of_batch in states),
        uncertain=sum(counts_of_batch["uncertain"] for counts_of_batch in states),
        delivered=sum(count_delivered(send, accounts=accounts) for send in sends),
        bounced=reported["bounced"],
        complained=reported["complained"],
    )


def find_batches(sends: Collection[Send], *, share: AccountShare) -> QuerySet[Batch]:
    """Return the batches of the sends that the account of the share has or may have."""
    batches = Batch.objects.filter(send__in=sends)
    return batches if share.batch_accounts is None else batches.filter(account__in=share.batch_accounts)


def find_people(sends: Collection[Send], *, share: AccountShare, figure: Figure) -> set[int]:
    """Return the ids of the deliveries that a figure counts."""
    deliveries = _find_deliveries(sends, share=share)
    if figure is Figure.DELIVERED:
        bits = [DeliveredBits(send) for send in sends]
        everybody = deliveries.values_list("pk", flat=True).iterator(chunk_size=10_000)
        return {pk for pk in everybody if any(pk in marked for marked in bits)}
    conditions = {
        Figure.ACCEPTED: _ACCEPTED,
        Figure.BOUNCED: Q(exception__bounced_at__isnull=False),
        Figure.COMPLAINED: Q(exception__complained_at__isnull=False),
    }
    return set(deliveries.filter(conditions[figure]).values_list("pk", flat=True))


def find_uncertain_people(sends: Collection[Send], *, share: AccountShare) -> set[int]:
    return set(_find_deliveries(sends, share=share).filter(_UNCERTAIN).values_list("pk", flat=True))


def keep_own_records(records: dict[int, str], *, sends: Collection[Send], share: AccountShare) -> set[int]:
    """Return the deliveries whose batch is ours: another installation on the same account has the same delivery ids."""
    keys = set(find_batches(sends, share=share).values_list("key", flat=True))
    deliveries = set(_find_deliveries(sends, share=share).filter(pk__in=list(records)).values_list("pk", flat=True))
    return {delivery for delivery, key in records.items() if delivery in deliveries and key in keys}


def _find_deliveries(sends: Collection[Send], *, share: AccountShare) -> QuerySet[Delivery]:
    return Delivery.objects.filter(batch__in=find_batches(sends, share=share).values("pk"))
