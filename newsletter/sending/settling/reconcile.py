"""Settle uncertain batches without guessing: repeat under the same key, ask the provider, else leave it to staff.

A repeat is allowed for a time that starts with the first attempt. Once the provider has forgotten the key, it would
mail people twice.
"""

from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Max, Min, Q, QuerySet

from newsletter.common.database.compiled_query import find_rows
from newsletter.common.messages import Message
from newsletter.models import Attempt, Batch, Delivery, DeliveryException, Send, transition
from newsletter.providers.accounts import DEFAULT_ACCOUNT
from newsletter.providers.base.contract import Adapter, BatchFinder, BatchLookup, Capabilities, Verdict
from newsletter.sending.adapters import account_label
from newsletter.sending.limits.each_send import act_on_each, run_each
from newsletter.sending.limits.step_work import acts_on
from newsletter.sending.settling.delivered_bitmap import find_delivered
from newsletter.sending.settling.send_controls import reopen_send
from newsletter.sending.settling.uncertain_recipients import settle_uncertain_recipients

FIRST_QUESTION_AFTER = timedelta(minutes=2)
MAX_QUESTION_INTERVAL = timedelta(hours=1)
ASK_PROVIDER_FOR = timedelta(hours=24)
MAX_QUESTIONS_A_ROUND = 20
MAX_REPLAYS = 5
_UNSETTLED = Q(state__in=(Send.State.SUBMITTING, Send.State.NEEDS_ATTENTION))
KEY_EXPIRY_MARGIN = timedelta(minutes=2)


@acts_on(sends=_UNSETTLED)
def replay_uncertain(*, capabilities: Capabilities, now: datetime, account: str = DEFAULT_ACCOUNT) -> int:
    """Send the account's uncertain batches again if the provider answers a repeat with the first result. Return how many."""
    if capabilities.reconcile != "replay":
        return 0
    start = find_replay_start(capabilities, now=now)
    uncertain = Batch.objects.uncertain(provider=account_label(account), start=start, end=now)
    with transaction.atomic():
        chosen = dict(uncertain.filter(attempt_number__lt=MAX_REPLAYS).values_list("pk", "send_id"))
        replayed = Batch.objects.filter(pk__in=chosen, state=Batch.State.UNCERTAIN).update(
            state=Batch.State.PENDING, not_before=None, settled_at=None
        )
        for send in Send.objects.filter(pk__in=set(chosen.values()) if replayed else ()):
            reopen_send(send)
    return replayed


def find_replay_start(capabilities: Capabilities, *, now: datetime) -> datetime:
    """Return the earliest first attempt of a batch that may still be repeated under its key."""
    return now - timedelta(seconds=capabilities.idempotency_seconds) + KEY_EXPIRY_MARGIN


def is_repeat_safe(
    *, batch: Batch, attempt_number: int, account: str, capabilities: Capabilities, now: datetime
) -> bool:
    """Return True if this attempt cannot mail anybody twice, or if staff allowed that.

    It is safe if no attempt was uncertain since staff last allowed a repeat. Otherwise every call must have gone to the
    provider account with the label ``account``, which must still know the key.
    """
    if not has_uncertain_attempt(batch, attempt_number=attempt_number):
        return True
    earlier = _find_earlier_attempts(batch, attempt_number=attempt_number)
    elsewhere = earlier.exclude(provider=account).exclude(outcome__in=Attempt.NOT_ACCEPTED_OUTCOMES)
    if capabilities.reconcile != "replay" or elsewhere.exists():
        return False
    first_at = earlier.aggregate(first=Min("started_at"))["first"]
    return bool(now - first_at < timedelta(seconds=capabilities.idempotency_seconds) - KEY_EXPIRY_MARGIN)


def has_uncertain_attempt(batch: Batch, *, attempt_number: int) -> bool:
    """Return True if an attempt before this one was uncertain since staff last allowed a repeat."""
    earlier = _find_earlier_attempts(batch, attempt_number=attempt_number)
    allowed = earlier.filter(code=Attempt.Code.SENT_AGAIN).aggregate(newest=Max("number"))["newest"] or 0
    return earlier.filter(outcome="uncertain", number__gt=allowed).exists()


def _find_earlier_attempts(batch: Batch, *, attempt_number: int) -> QuerySet[Attempt]:
    return Attempt.objects.filter(batch=batch, number__lt=attempt_number)


@acts_on(sends=_UNSETTLED)
def ask_provider(*, adapter: Adapter, now: datetime, account: str = DEFAULT_ACCOUNT) -> int:
    """Ask an account about its uncertain batches and people when they are due. Return how many batches were settled."""
    if not isinstance(adapter, BatchFinder):
        return 0
    label = account_label(account)
    ask = partial(_ask_if_due, finder=adapter, atomic=adapter.capabilities.atomic, now=now)
    answers: list[tuple[Batch, bool]] = []
    run_each(
        partial(
            act_on_each,
            find_rows(find, label, now=now),
            ask,
            failure="The provider was not asked about batch %s",
            results=answers,
        )
        for find in (_find_uncertain, _find_with_uncertain_recipients)
    )
    return sum(is_settled for _, is_settled in answers)


def _find_uncertain(now: datetime, provider: str) -> QuerySet[Batch]:
    start, end = now - ASK_PROVIDER_FOR, now - FIRST_QUESTION_AFTER
    return _limit_questions(Batch.objects.uncertain(provider=provider, start=start, end=end), now=now)


def _find_with_uncertain_recipients(now: datetime, provider: str) -> QuerySet[Batch]:
    start, end = now - ASK_PROVIDER_FOR, now - FIRST_QUESTION_AFTER
    return _limit_questions(Batch.objects.with_uncertain_recipients(provider=provider, start=start, end=end), now=now)


def _limit_questions(batches: QuerySet[Batch], *, now: datetime) -> QuerySet[Batch]:
    return batches.exclude(not_before__gt=now).order_by("pk")[:MAX_QUESTIONS_A_ROUND]


def _ask_if_due(batch: Batch, *, finder: BatchFinder, atomic: bool, now: datetime) -> bool:
    first_attempt_at: datetime = batch.first_attempt_at  # type: ignore[attr-defined]
    if not _claim_question(batch, age=now - first_attempt_at, now=now):
        return False
    return _ask_about_batch(batch, finder=finder, sent_at=first_attempt_at, atomic=atomic, now=now)


def _ask_about_batch(batch: Batch, *, finder: BatchFinder, sent_at: datetime, atomic: bool, now: datetime) -> bool:
    people = Delivery.objects.filter(batch=batch)
    if batch.state == Batch.State.UNCERTAIN:
        asked_about = people.exclude(exception__state__in=["skipped", "rejected"])
    else:
        asked_about = people.filter(exception__state="uncertain")
    deliveries = list(asked_about.order_by("pk").values_list("pk", flat=True))
    found = finder.find_batch(key=batch.key, deliveries=deliveries, sent_at=sent_at)
    if batch.state == Batch.State.UNCERTAIN:
        return record_provider_records(batch=batch, found=found, asked_ids=deliveries, atomic=atomic, now=now)
    return bool(settle_uncertain_recipients(batch=batch, asked_ids=deliveries, found=found, atomic=atomic, now=now))


@transaction.atomic
def record_provider_records(
    *, batch: Batch, found: BatchLookup, asked_ids: list[int], atomic: bool, now: datetime
) -> bool:
    """Settle an uncertain batch by what the provider's records prove. Return False if they prove nothing."""
    accepted = [delivery for delivery, verdict in found.people.items() if verdict is Verdict.ACCEPTED]
    if found.verdict is not Verdict.ACCEPTED and not accepted:
        return False
    if found.verdict is Verdict.ACCEPTED:
        to, others = Batch.State.ACCEPTED, []
    else:
        to = Batch.State.PARTIAL
        others = list(Delivery.objects.filter(batch=batch).exclude(pk__in=accepted).values_list("pk", flat=True))
    reason = found.reason or Message("found in the provider’s records")
    if not transition(
        batch,
        from_states=[Batch.State.UNCERTAIN],
        to=to,
        reason=reason,
        code=Batch.Code.NONE,
        provider_id=found.provider_id[:200],
        not_before=None,
    ):
        return False
    settle_uncertain_recipients(batch=batch, asked_ids=asked_ids, found=found, atomic=atomic, now=now)
    delivered = find_delivered(dict.fromkeys(others, batch.send_id))
    others = [delivery for delivery in others if delivery not in delivered]
    uncertain = [
        *others,
        *(
            delivery
            for delivery, verdict in found.people.items()
            if verdict is Verdict.UNCERTAIN and delivery not in others
        ),
    ]
    rejected = [delivery for delivery, verdict in found.people.items() if verdict is Verdict.REJECTED]
    _record_exceptions(uncertain, state=DeliveryException.State.UNCERTAIN, reason=reason, now=now)
    _record_exceptions(rejected, state=DeliveryException.State.REJECTED, reason=reason, now=now)
    newest = Attempt.objects.filter(batch=batch, number=batch.attempt_number)
    newest.update(detail=reason, code=Attempt.Code.NONE)
    return True


def _record_exceptions(deliveries: list[int], *, state: DeliveryException.State, reason: str, now: datetime) -> None:
    DeliveryException.objects.bulk_create(
        (DeliveryException(delivery_id=delivery, state=state, reason=reason, at=now) for delivery in deliveries),
        ignore_conflicts=True,
    )


def _claim_question(batch: Batch, *, age: timedelta, now: datetime) -> bool:
    """Postpone the next question, by more each time. Return True for the one worker that may ask this question."""
    later = now + min(max(FIRST_QUESTION_AFTER, age / 2), MAX_QUESTION_INTERVAL)
    unchanged = Batch.objects.filter(pk=batch.pk, state=batch.state, not_before=batch.not_before)
    return bool(unchanged.update(not_before=later))
