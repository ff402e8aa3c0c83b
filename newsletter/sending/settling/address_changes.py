"""People who changed to an address that the issue went to already: an address gets an issue once, whoever has it."""

from collections.abc import Collection

from django.db.models import Exists, OuterRef, Q

from newsletter.models import Attempt, Batch, Delivery, DeliveryException
from subscribers.models import Subscriber

_KEPT = 16
_CALLED = (
    Batch.State.SUBMITTING,
    Batch.State.ACCEPTED,
    Batch.State.PARTIAL,
    Batch.State.UNCERTAIN,
    Batch.State.WRITTEN_OFF,
)
_HAS_NOT = (DeliveryException.State.SKIPPED, DeliveryException.State.REJECTED)


def find_already_mailed(deliveries: Collection[int], *, batch: Batch) -> frozenset[int]:
    """Of these deliveries of a batch those whose person is now where another one of the issue went, or may have gone."""
    if not deliveries:
        return frozenset()
    people = dict(Delivery.objects.filter(pk__in=deliveries).values_list("pk", "subscriber_id"))
    hashes = Subscriber.objects.filter(pk__in=set(people.values())).values_list("pk", "address_hash")
    now_at = {subscriber: bytes(address)[:_KEPT] for subscriber, address in hashes}
    in_doubt = Exists(Attempt.objects.filter(batch=OuterRef("batch"), outcome="uncertain"))
    others = Delivery.objects.filter(
        Q(batch__state__in=_CALLED) & ~Q(batch=batch) | Q(in_doubt),
        issue=batch.send.issue_id,
        address_hash__in=set(now_at.values()),
        proof=False,
    ).exclude(exception__state__in=_HAS_NOT)
    reached = {bytes(address) for address in others.values_list("address_hash", flat=True)}
    return frozenset(delivery for delivery, person in people.items() if now_at.get(person) in reached)
