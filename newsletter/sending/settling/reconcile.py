"""Settles what is uncertain without guessing: replay under the same key, ask the provider, else leave it to a person.

A replay counts from the first attempt: once the provider has forgotten the key, it would mail people twice.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Min

from newsletter.common.messages import Message
from newsletter.models import Attempt, Batch, Delivery, DeliveryException, Send, move
from newsletter.providers.base.contract import Adapter, BatchFinder, BatchLookup, Capabilities, Verdict
from newsletter.sending.provider import account_label
from newsletter.sending.settling.delivered import find_delivered
from newsletter.sending.settling.send_controls import SENT_AGAIN, reopen_send
from newsletter.sending.settling.uncertain_recipients import settle_uncertain_recipients

FIRST_QUESTION_AFTER = timedelta(minutes=2)
MAX_QUESTION_INTERVAL = timedelta(hours=1)
ASK_PROVIDER_FOR = timedelta(hours=24)
MAX_QUESTIONS_A_ROUND = 20
MAX_REPLAYS = 5
KEY_EXPIRY_MARGIN = timedelta(minutes=2)


def replay_uncertain(*, capabilities: Capabilities, now: datetime) -> int:
    """Where the provider answers a repeat under the same key with the first result, send it again that way. Returns how many."""
    if capabilities.reconcile != "replay":
        return 0
    since = find_replay_start(capabilities, now=now)
    young = Batch.objects.uncertain(provider=account_label(), start=since, end=now).filter(attempts__lt=MAX_REPLAYS)
    with transaction.atomic():
        chosen = dict(young.values_list("pk", "send_id"))
        again = Batch.objects.filter(pk__in=chosen, state=Batch.State.UNCERTAIN).update(
            state=Batch.State.PENDING, not_before=None, settled_at=None
        )
        for send in Send.objects.filter(pk__in=set(chosen.values()) if again else ()):
            reopen_send(send)
    return again


def find_replay_start(capabilities: Capabilities, *, now: datetime) -> datetime:
    """A batch first sent after this moment may be sent again under its key."""
    return now - timedelta(seconds=capabilities.idempotency_seconds) + KEY_EXPIRY_MARGIN


def is_repeat_safe(*, batch: Batch, n: int, capabilities: Capabilities, now: datetime) -> bool:
    """Whether try ``n`` may be made although the end of an earlier one is unknown: a batch may have waited long for it.

    A person said so, or the provider that was called is the one that is called now, and still knows the key.
    """
    tries = Attempt.objects.filter(batch=batch, n__lt=n)
    allowed = tries.filter(detail__startswith=SENT_AGAIN).aggregate(n=Max("n"))["n"] or 0
    if not tries.filter(outcome="uncertain", n__gt=allowed).exists():
        return True
    elsewhere = tries.exclude(provider=account_label()).exclude(outcome__in=Attempt.NOT_ACCEPTED_OUTCOMES)
    if capabilities.reconcile != "replay" or elsewhere.exists():
        return False
    first = tries.aggregate(at=Min("started_at"))["at"]
    return bool(now - first < timedelta(seconds=capabilities.idempotency_seconds) - KEY_EXPIRY_MARGIN)


def ask_provider(*, adapter: Adapter, now: datetime) -> int:
    """Ask for each batch in doubt, as a whole or of some of its people, that is due to be asked about.

    Returns how many batches that settled.
    """
    if not isinstance(adapter, BatchFinder):
        return 0
    account, start, end = account_label(), now - ASK_PROVIDER_FOR, now - FIRST_QUESTION_AFTER
    settled = 0
    for batches in (
        Batch.objects.uncertain(provider=account, start=start, end=end),
        Batch.objects.with_uncertain_recipients(provider=account, start=start, end=end),
    ):
        for batch in batches.exclude(not_before__gt=now).order_by("pk")[:MAX_QUESTIONS_A_ROUND]:
            if _claim_question(batch, now=now):
                settled += _ask_about_batch(batch, finder=adapter, atomic=adapter.capabilities.atomic, now=now)
    return settled


def _ask_about_batch(batch: Batch, *, finder: BatchFinder, atomic: bool, now: datetime) -> bool:
    people = Delivery.objects.filter(batch=batch)
    if batch.state == Batch.State.UNCERTAIN:
        waiting = people.exclude(exception__state__in=["skipped", "rejected"])
    else:
        waiting = people.filter(exception__state="uncertain")
    deliveries = list(waiting.order_by("pk").values_list("pk", flat=True))
    found = finder.find_batch(key=batch.key, deliveries=deliveries, sent_at=batch.first)  # type: ignore[attr-defined]
    if batch.state == Batch.State.UNCERTAIN:
        return record_provider_records(batch=batch, found=found, asked=deliveries, atomic=atomic, now=now)
    return bool(settle_uncertain_recipients(batch=batch, asked=deliveries, found=found, atomic=atomic, now=now))


@transaction.atomic
def record_provider_records(*, batch: Batch, found: BatchLookup, asked: list[int], atomic: bool, now: datetime) -> bool:
    """What the provider's own records prove, and nothing more."""
    accepted = [delivery for delivery, verdict in found.people.items() if verdict is Verdict.ACCEPTED]
    if found.verdict is not Verdict.ACCEPTED and not accepted:
        return False
    if found.verdict is Verdict.ACCEPTED:
        to, others = Batch.State.ACCEPTED, []
    else:
        to = Batch.State.PARTIAL
        others = list(Delivery.objects.filter(batch=batch).exclude(pk__in=accepted).values_list("pk", flat=True))
    reason = (found.reason or Message("found in the provider's records"))[:500]
    if not move(
        batch, of=[Batch.State.UNCERTAIN], to=to, reason=reason, provider_id=found.provider_id[:200], not_before=None
    ):
        return False
    settle_uncertain_recipients(batch=batch, asked=asked, found=found, atomic=atomic, now=now)
    known = find_delivered(dict.fromkeys(others, batch.send_id))
    others = [delivery for delivery in others if delivery not in known]
    unsure = [*others, *(d for d, verdict in found.people.items() if verdict is Verdict.UNCERTAIN and d not in others)]
    rejected = [delivery for delivery, verdict in found.people.items() if verdict is Verdict.REJECTED]
    _record_exceptions(unsure, DeliveryException.State.UNCERTAIN, reason, now)
    _record_exceptions(rejected, DeliveryException.State.REJECTED, reason, now)
    Attempt.objects.filter(batch=batch, n=batch.attempts).update(detail=reason)
    return True


def _record_exceptions(deliveries: list[int], state: str, reason: str, now: datetime) -> None:
    DeliveryException.objects.bulk_create(
        (DeliveryException(delivery_id=delivery, state=state, reason=reason[:300], at=now) for delivery in deliveries),
        ignore_conflicts=True,
    )


def _claim_question(batch: Batch, *, now: datetime) -> bool:
    """Put the next question off, longer as time goes by; whoever does that asks this one."""
    age = now - batch.first  # type: ignore[attr-defined]
    later = now + min(max(FIRST_QUESTION_AFTER, age / 2), MAX_QUESTION_INTERVAL)
    asked = Batch.objects.filter(pk=batch.pk, state=batch.state, not_before=batch.not_before)
    return bool(asked.update(not_before=later))
