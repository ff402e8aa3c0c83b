"""Settle the steps of welcomes by the results of their deliveries. The later steps of a person depend on them."""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from newsletter.issues.variants.unreached import NEVER_HANDED_OVER
from newsletter.models import Batch, Delivery, DeliveryException, Send, WelcomeStep

_ACCEPTED = Q(batch__state__in=[Batch.State.ACCEPTED, Batch.State.PARTIAL])
_SKIPPED = Q(exception__state=DeliveryException.State.SKIPPED)
_REJECTED = Q(exception__state=DeliveryException.State.REJECTED) | Q(batch__state=Batch.State.REJECTED)
_UNCERTAIN = (
    Q(batch__state=Batch.State.WRITTEN_OFF)
    | Q(batch__state=Batch.State.UNCERTAIN, batch__send__state=Send.State.CANCELLED)
    | (_ACCEPTED & Q(exception__state=DeliveryException.State.UNCERTAIN))
)


def settle_welcome_steps(*, now: datetime) -> None:
    """Give each step that was being sent its result, if it has one. Safe to repeat.

    While nobody knows whether the provider accepted a mail, its step is being sent, and the next one waits. In a cancelled
    send nobody can find out, so the step is uncertain.
    """
    if WelcomeStep.objects.filter(state=WelcomeStep.State.SENDING).exists():
        _settle_all(now=now)


@transaction.atomic
def _settle_all(*, now: datetime) -> None:
    State, Code = WelcomeStep.State, WelcomeStep.Code
    _settle(_SKIPPED, state=State.NOT_SENT, code=Code.UNSUBSCRIBED, now=now)
    _settle(NEVER_HANDED_OVER, state=State.NOT_SENT, code=Code.TURNED_OFF, now=now)
    _settle(_REJECTED, state=State.NOT_SENT, code=Code.REJECTED, now=now)
    _settle(_UNCERTAIN, state=State.UNCERTAIN, code=Code.NONE, now=now)
    _settle(_ACCEPTED, state=State.ACCEPTED, code=Code.NONE, now=now)


def _settle(result: Q, *, state: WelcomeStep.State, code: WelcomeStep.Code, now: datetime) -> None:
    deliveries = Delivery.objects.filter(
        result, issue=OuterRef("issue"), subscriber_id=OuterRef("subscriber_id"), proof=False
    )
    being_sent = WelcomeStep.objects.filter(Exists(deliveries), state=WelcomeStep.State.SENDING)
    being_sent.update(state=state, code=code, settled_at=now)
