"""Settle uncertain batches by evidence: a report about a mail proves that the provider accepted it.

A pending batch can be settled too: after a restore, or a wrong "not sent", a report proves that it was sent. So nobody is
mailed twice.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from newsletter.common.messages import Message
from newsletter.feedback.match_events import Target
from newsletter.models import Batch, Delivery, DeliveryException
from newsletter.sending.settling.delivered_bitmap import find_delivered
from newsletter.sending.settling.uncertain_recipients import resolve_as_accepted, settle_unsubscribed

_SETTLEABLE = (Batch.State.PENDING, Batch.State.UNCERTAIN)
EVIDENCE_REASON = Message("a report of the provider proves that it accepted this")


def settle_by_evidence(*, proven: Iterable[Target], atomic: Collection[int], now: datetime) -> frozenset[int]:
    """Settle the batches of the ``proven`` deliveries.

    One mail of a batch in ``atomic`` proves the whole batch. Of any other batch only the proven mails are accepted, and each
    other person is uncertain. Return the batches that are still open because a call is running: try them again later.
    """
    targets = list(proven)
    batches = {target.batch for target in targets}
    states = dict(Batch.objects.filter(pk__in=batches, state__in=Batch.UNFINISHED_STATES).values_list("pk", "state"))
    waiting = {batch for batch, state in states.items() if state in _SETTLEABLE}
    _settle(waiting & set(atomic), to=Batch.State.ACCEPTED, now=now)
    for batch in sorted(waiting - set(atomic)):
        if _settle([batch], to=Batch.State.PARTIAL, now=now):
            _mark_others_uncertain(batch, proven=[target.delivery for target in targets], now=now)
    resolve_as_accepted([target.delivery for target in targets])
    settle_unsubscribed(atomic)
    return frozenset(
        Batch.objects.filter(pk__in=states, state__in=Batch.UNFINISHED_STATES).values_list("pk", flat=True)
    )


def _settle(batches: Collection[int], *, to: Batch.State, now: datetime) -> int:
    if not batches:
        return 0
    return Batch.objects.filter(pk__in=batches, state__in=_SETTLEABLE).update(
        state=to,
        reason=EVIDENCE_REASON,
        code=Batch.Code.NONE,
        not_before=None,
        lease_until=None,
        settled_at=now,
    )


def _mark_others_uncertain(batch: int, *, proven: Collection[int], now: datetime) -> None:
    """Mark the people without proof uncertain.

    People with an exception were skipped, rejected or reported before, and keep it. A delivered mail needs no other proof.
    """
    unreported = Delivery.objects.filter(batch=batch, exception__isnull=True).exclude(pk__in=proven)
    unproven = dict(unreported.order_by("pk").values_list("pk", "batch__send_id"))
    for delivery in find_delivered(unproven):
        del unproven[delivery]
    DeliveryException.objects.bulk_create(
        (
            DeliveryException(
                delivery_id=pk,
                state=DeliveryException.State.UNCERTAIN,
                reason=Message("the provider accepted others in this batch and has not reported this person yet"),
                at=now,
            )
            for pk in unproven
        ),
        ignore_conflicts=True,
    )
