"""People whose batch is settled while their own end is unknown. Evidence settles them; nothing is sent for it.

Who left while a call was in doubt is left out of every later one. What proves that the batch was taken then speaks for
them only where no later call can have been the one that was taken: they were mailed before they left, or are unknown.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from newsletter.models import Attempt, Batch, DeliveryException, Send
from newsletter.providers.base.contract import BatchLookup, Verdict
from newsletter.sending.dispatching.claim import LEFT

SETTLED = (Batch.State.ACCEPTED, Batch.State.PARTIAL, Batch.State.REJECTED)


def find_uncertain_recipients(send: Send) -> QuerySet[DeliveryException]:
    """Those of settled batches; the people of an uncertain batch are counted with it."""
    return _uncertain().filter(delivery__batch__send=send, delivery__batch__state__in=SETTLED)


def settle_unsubscribed(batches: Collection[int]) -> int:
    """Of batches that were taken as a whole: who left after every call that can have been taken was mailed. Says how many."""
    later = Attempt.objects.filter(
        batch=OuterRef("delivery__batch"), started_at__gte=OuterRef("at"), people__gt=0
    ).exclude(outcome__in=Attempt.NOT_ACCEPTED_OUTCOMES)
    left = _uncertain().filter(~Exists(later), delivery__batch__in=list(batches), reason__startswith=LEFT)
    return resolve_as_accepted(list(left.values_list("delivery", flat=True)))


def resolve_as_accepted(deliveries: Collection[int]) -> int:
    """The provider has these people's mail: their end is that of their batch. Returns how many were in doubt.

    A batch of which a later call was refused has no such end for them; they stay as they are.
    """
    doubts = _uncertain().exclude(delivery__batch__state=Batch.State.REJECTED)
    return doubts.filter(delivery__in=deliveries).update(state="", reason="")


def settle_uncertain_recipients(
    *, batch: Batch, asked: Collection[int], found: BatchLookup, atomic: bool, now: datetime
) -> int:
    """What the provider's records prove of people of a settled batch. Returns how many of them are settled now."""
    settled = resolve_as_accepted(find_proven(found, asked=asked, atomic=atomic))
    if atomic and found.verdict is Verdict.ACCEPTED:
        settled += settle_unsubscribed([batch.pk])
    refused = _with_verdict(found.people, Verdict.REJECTED)
    return settled + _uncertain().filter(delivery__in=refused).update(
        state=DeliveryException.State.REJECTED, reason=found.reason[:300], at=now
    )


def find_proven(found: BatchLookup, *, asked: Collection[int], atomic: bool) -> list[int]:
    """Those whose own record the provider has. Of one that takes all or nothing, a record of the batch names nobody."""
    if found.verdict is Verdict.ACCEPTED and not atomic:
        return [delivery for delivery in asked if found.people.get(delivery, Verdict.ACCEPTED) is Verdict.ACCEPTED]
    return _with_verdict(found.people, Verdict.ACCEPTED)


def _with_verdict(people: Mapping[int, Verdict], verdict: Verdict) -> list[int]:
    return [delivery for delivery, said in people.items() if said is verdict]


def _uncertain() -> QuerySet[DeliveryException]:
    return DeliveryException.objects.filter(state=DeliveryException.State.UNCERTAIN)
