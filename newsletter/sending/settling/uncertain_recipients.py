"""Find uncertain people: nobody knows if they have the mail. Only evidence settles them. Nothing is sent to find out.

People who unsubscribed while an attempt was unresolved are left out of later attempts. If the batch proves to be
accepted, they have the mail only if no later attempt can be the accepted one.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from newsletter.common.messages import Message
from newsletter.models import Attempt, Batch, DeliveryException, Send
from newsletter.models.sending.batches import BatchQuerySet
from newsletter.providers.base.contract import BatchLookup, Verdict
from newsletter.sending.limits.step_work import acts_on

SETTLED_STATES = (Batch.State.ACCEPTED, Batch.State.PARTIAL, Batch.State.REJECTED)

_NOT_SENT_AGAIN = Message(
    "the send was cancelled before the repeat, so it is unknown whether the earlier call was accepted"
)


def _find_cancelled_repeats(_: datetime) -> QuerySet[Batch]:
    return Batch.objects.all().cancelled_repeats()


@acts_on(_find_cancelled_repeats)
def mark_cancelled_repeats(batches: BatchQuerySet, *, now: datetime) -> int:
    """Mark the batches uncertain that wait for a repeat in a cancelled send. Return how many.

    A call that runs at the cancellation ends later, so the sweep calls this too.
    """
    return batches.cancelled_repeats().update(
        state=Batch.State.UNCERTAIN, reason=_NOT_SENT_AGAIN, code=Batch.Code.NONE, not_before=None, settled_at=now
    )


def find_uncertain_recipients(send: Send) -> QuerySet[DeliveryException]:
    """Return the uncertain people of settled batches. People of an uncertain batch are counted with it."""
    return _uncertain().filter(delivery__batch__send=send, delivery__batch__state__in=SETTLED_STATES)


def settle_unsubscribed(batches: Collection[int]) -> int:
    """For batches accepted in full, settle people left out after the last attempt that may have been accepted.

    They did get the mail. Return the number settled.
    """
    later = Attempt.objects.filter(
        batch=OuterRef("delivery__batch"), started_at__gte=OuterRef("at"), people__gt=0
    ).exclude(outcome__in=Attempt.NOT_ACCEPTED_OUTCOMES)
    left_out = _uncertain().filter(
        ~Exists(later), delivery__batch__in=list(batches), code__in=DeliveryException.LEFT_OUT_CODES
    )
    return resolve_as_accepted(list(left_out.values_list("delivery", flat=True)))


def resolve_as_accepted(deliveries: Collection[int]) -> int:
    """Give uncertain people the state of their batch: they have the mail. Return how many were uncertain.

    People of a rejected batch stay uncertain, because a later call of it was refused.
    """
    uncertain = _uncertain().exclude(delivery__batch__state=Batch.State.REJECTED)
    return uncertain.filter(delivery__in=deliveries).update(state="", reason="", code=DeliveryException.Code.NONE)


def settle_uncertain_recipients(
    *, batch: Batch, asked_ids: Collection[int], found: BatchLookup, atomic: bool, now: datetime
) -> int:
    """Settle uncertain people of a settled batch by the provider's records. Return the number settled.

    ``atomic`` means that the provider accepts all people of a call or nobody.
    """
    settled = resolve_as_accepted(find_proven(found, asked_ids=asked_ids, atomic=atomic))
    if atomic and found.verdict is Verdict.ACCEPTED:
        settled += settle_unsubscribed([batch.pk])
    refused = _with_verdict(found.people, Verdict.REJECTED)
    return settled + _uncertain().filter(delivery__in=refused).update(
        state=DeliveryException.State.REJECTED, reason=found.reason, code=DeliveryException.Code.NONE, at=now
    )


def find_proven(found: BatchLookup, *, asked_ids: Collection[int], atomic: bool) -> list[int]:
    """Return the deliveries that the records name as accepted. A record of an ``atomic`` provider's batch names nobody."""
    if found.verdict is Verdict.ACCEPTED and not atomic:
        return [delivery for delivery in asked_ids if found.people.get(delivery, Verdict.ACCEPTED) is Verdict.ACCEPTED]
    return _with_verdict(found.people, Verdict.ACCEPTED)


def _with_verdict(people: Mapping[int, Verdict], expected: Verdict) -> list[int]:
    return [delivery for delivery, verdict in people.items() if verdict is expected]


def _uncertain() -> QuerySet[DeliveryException]:
    return DeliveryException.objects.filter(state=DeliveryException.State.UNCERTAIN)


def update_attention_reason(send: Send, *, reason: str) -> None:
    """Store the reason of a send that needs attention. Do nothing if it is in another state."""
    waiting = Send.objects.filter(pk=send.pk, state=Send.State.NEEDS_ATTENTION).exclude(reason=reason)
    waiting.update(reason=reason, code=Send.Code.NONE)


def find_attention_reason(send: Send) -> str:
    """Return what staff must settle, or "" if nothing is left."""
    recipients = find_uncertain_recipients(send)
    left_out = recipients.filter(code__in=DeliveryException.LEFT_OUT_CODES).count()
    batches = send.batches.filter(state=Batch.State.UNCERTAIN)
    unknown = recipients.count() - left_out + sum(batches.values_list("size", flat=True))
    refused = list(send.batches.filter(state=Batch.State.REJECTED, size__gt=1).values_list("size", "reason"))
    reasons = []
    if unknown:
        reasons.append(
            Message("for 1 person we do not know whether the provider accepted the mail")
            if unknown == 1
            else Message("for %(people)s people we do not know whether the provider accepted the mail", people=unknown)
        )
    if left_out:
        reasons.append(
            Message("1 person unsubscribed during the send and may already have this issue")
            if left_out == 1
            else Message(
                "%(people)s people unsubscribed during the send and may already have this issue",
                people=left_out,
            )
        )
    if refused:
        reasons.append(
            Message(
                "the provider refused the mail of %(people)s people: %(refused)s",
                people=sum(size for size, _ in refused),
                refused=refused[0][1],
            )
        )
    return Message.joined(reasons) if reasons else ""
