"""Evidence: what a provider reports of a mail proves that it took it. Uncertain becomes known; nothing is sent for it.

A batch that waits to be sent and of which the provider reports was sent after all (a restored backup, a wrong "not
sent"): it is settled too, so that nobody is mailed twice.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from newsletter.common.messages import Message
from newsletter.feedback.match import Target
from newsletter.models import Batch, Delivery, DeliveryException
from newsletter.sending.settling.delivered import find_delivered
from newsletter.sending.settling.uncertain_recipients import resolve_as_accepted, settle_unsubscribed

OPEN = (Batch.State.PENDING, Batch.State.SUBMITTING, Batch.State.UNCERTAIN)
_SETTLED = (Batch.State.PENDING, Batch.State.UNCERTAIN)
EVIDENCE_REASON = Message("the provider's own report proves that it took this")


def settle_by_evidence(*, proven: Iterable[Target], atomic: Collection[int], now: datetime) -> frozenset[int]:
    """Settle the batches of the ``proven`` deliveries; ``atomic`` are those of which one mail proves all.

    Of another provider only the proven mails are accepted, and the rest of their batch is uncertain person by person.
    Returns the batches that are still open (a call is under way): look again later.
    """
    targets = list(proven)
    batches = {target.batch for target in targets}
    states = dict(Batch.objects.filter(pk__in=batches, state__in=OPEN).values_list("pk", "state"))
    waiting = {batch for batch, state in states.items() if state in _SETTLED}
    _transition(waiting & set(atomic), to=Batch.State.ACCEPTED, now=now)
    for batch in sorted(waiting - set(atomic)):
        if _transition([batch], to=Batch.State.PARTIAL, now=now):
            _mark_others_uncertain(batch, proven=[target.delivery for target in targets], now=now)
    resolve_as_accepted([target.delivery for target in targets])
    settle_unsubscribed(atomic)
    return frozenset(Batch.objects.filter(pk__in=states, state__in=OPEN).values_list("pk", flat=True))


def _transition(batches: Collection[int], *, to: Batch.State, now: datetime) -> int:
    if not batches:
        return 0
    return Batch.objects.filter(pk__in=batches, state__in=_SETTLED).update(
        state=to, reason=EVIDENCE_REASON, not_before=None, lease_until=None, settled_at=now
    )


def _mark_others_uncertain(batch: int, *, proven: Collection[int], now: datetime) -> None:
    """Who has a row already is skipped, rejected, or proven by a fact; who has the mail needs no other proof."""
    silent = Delivery.objects.filter(batch=batch, exception__isnull=True).exclude(pk__in=proven)
    unproven = dict(silent.order_by("pk").values_list("pk", "batch__send_id"))
    for delivery in find_delivered(unproven):
        del unproven[delivery]
    DeliveryException.objects.bulk_create(
        (
            DeliveryException(
                delivery_id=pk,
                state=DeliveryException.State.UNCERTAIN,
                reason=Message("the provider took others of this batch; of this person it said nothing yet"),
                at=now,
            )
            for pk in unproven
        ),
        ignore_conflicts=True,
    )
