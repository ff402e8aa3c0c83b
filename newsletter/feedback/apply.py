"""Applies stored events to deliveries, batches, people and sends: in any order, each once, many to a statement."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

from newsletter.common.messages import Message
from newsletter.feedback.automatic_pause import pause_failing_sends, record_refusals
from newsletter.feedback.consequences import Consequences, ProviderUnsubscribe, apply_consequences, find_known_hashes
from newsletter.feedback.facts import Facts, find_event_time, load_facts, redact_addresses, write_facts
from newsletter.feedback.match import EventReference, Target, match_events, read_reference
from newsletter.feedback.settle import settle_by_evidence
from newsletter.models import ProviderEvent
from newsletter.models.feedback import Bounce
from newsletter.providers.base.webhooks.events import BounceClass, FeedbackKind
from newsletter.providers.registry import ATOMIC_PROVIDERS
from newsletter.sending.settling.delivered import mark_delivered

MAX_EVENT_AGE = timedelta(minutes=15)
RETRY_AFTER = timedelta(seconds=30)
EVENTS_A_ROUND = 2000
_LOCK = 7_206_311_850


def apply_due_events(*, clock: Callable[[], datetime] = lambda: datetime.now(UTC), rounds: int = 500) -> int:
    """Apply what is due now, a round at a time, until nothing is. Returns how many events were looked at."""
    total = 0
    for _ in range(rounds):
        looked_at = apply_events(now=clock(), limit=EVENTS_A_ROUND)
        total += looked_at
        if looked_at < EVENTS_A_ROUND:
            break
    return total


@transaction.atomic
def apply_events(*, now: datetime, limit: int = EVENTS_A_ROUND) -> int:
    """Apply up to ``limit`` events that are due, in one transaction. Returns how many were looked at.

    An event of a delivery that is not here yet, or whose call is still under way, is looked at again for 15 minutes.
    Where another worker is at it this one leaves it to that one.
    """
    if not _try_lock():
        return 0
    due = ProviderEvent.objects.filter(applied_at__isnull=True, retry_at__lte=now)
    events = list(due.order_by("retry_at", "pk")[:limit])
    if not events:
        return 0
    named = {event.pk: read_reference(event) for event in events}
    targets = match_events(named)
    matched = [(event, targets[event.pk]) for event in events if event.pk in targets]
    before = load_facts({target.delivery for _, target in matched})
    after = _sum_up(matched, before)
    write_facts({pk: facts for pk, facts in after.items() if facts != before.get(pk, Facts())}, now=now)
    mark_delivered(_delivered(matched), at=now)
    still_open = settle_by_evidence(
        proven=dict.fromkeys(target for _, target in matched),
        atomic={target.batch for event, target in matched if event.provider in ATOMIC_PROVIDERS},
        now=now,
    )
    consequences = _consequences(matched, before=before, after=after)
    too_late = {
        event.pk for event in events if event.received_at + MAX_EVENT_AGE <= now or not _names_ours(named[event.pk])
    }
    orphans = [event for event in events if event.pk not in targets and event.pk in too_late]
    _add_orphans(consequences, orphans, named=named)
    apply_consequences(consequences, now=now)
    done = {event.pk for event, target in matched if target.batch not in still_open or event.pk in too_late}
    _close(done, result=ProviderEvent.Result.APPLIED, now=now)
    _close({event.pk for event in orphans}, result=ProviderEvent.Result.ORPHAN, now=now)
    later = {event.pk for event in events} - done - {event.pk for event in orphans}
    ProviderEvent.objects.filter(pk__in=later).update(retry_at=now + RETRY_AFTER)
    problem_sends = {target.send for event, target in matched if event.kind in _PROBLEM_KINDS and not target.proof}
    record_refusals(send_ids=problem_sends)
    pause_failing_sends(send_ids=problem_sends, now=now)
    return len(events)


DELETABLE_KINDS = tuple(
    kind.value
    for kind in (
        FeedbackKind.ACCEPTED,
        FeedbackKind.DELIVERED,
        FeedbackKind.DEFERRED,
        FeedbackKind.OPENED,
        FeedbackKind.CLICKED,
    )
)
_PROBLEM_KINDS = (FeedbackKind.BOUNCED.value, FeedbackKind.COMPLAINED.value)


def _try_lock() -> bool:
    """SQLite has one writer anyway; on PostgreSQL a lock that ends with the transaction, or with a killed worker."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


def _sum_up(matched: list[tuple[ProviderEvent, Target]], before: Mapping[int, Facts]) -> dict[int, Facts]:
    after: dict[int, Facts] = {}
    for event, target in matched:
        facts = after.get(target.delivery) or before.get(target.delivery) or Facts()
        after[target.delivery] = facts.add(event)
    return after


def _delivered(matched: list[tuple[ProviderEvent, Target]]) -> dict[int, int]:
    """Delivery to send, of those that arrived."""
    arrived = FeedbackKind.DELIVERED.value
    return {target.delivery: target.send for event, target in matched if event.kind == arrived and not target.proof}


def _consequences(
    matched: list[tuple[ProviderEvent, Target]], *, before: Mapping[int, Facts], after: Mapping[int, Facts]
) -> Consequences:
    """Only what is new of a delivery has consequences: a repeat does not undo what a person decided since."""
    found = Consequences()
    for event, target in {target.delivery: (event, target) for event, target in matched}.values():
        old, new = before.get(target.delivery, Facts()), after[target.delivery]
        if target.address_hash is None:
            continue
        if new.complained_at and not old.complained_at:
            found.complained[target.address_hash] = Message("reported by %(provider)s", provider=event.provider)
        if new.unsubscribed_at and not old.unsubscribed_at:
            found.unsubscribed.append(ProviderUnsubscribe(target.address_hash, target.send, new.unsubscribed_at))
        if new.bounce and (old.bounce is None or old.bounce.bounce_class != new.bounce.bounce_class):
            if new.bounce.bounce_class == Bounce.Final.HARD:
                found.hard[target.address_hash] = f"{event.provider}: {new.bounce.reason}".strip(": ")
            elif new.bounce.bounce_class == Bounce.Final.SOFT:
                found.soft[target.subscriber] = target.address_hash
    return found


def _add_orphans(found: Consequences, orphans: list[ProviderEvent], *, named: Mapping[int, EventReference]) -> None:
    """Reports of other mails to our readers (a question to confirm, say): a dead address is dead, and a no is a no."""
    hashes = {event.pk: named[event.pk].address_hash for event in orphans}
    known = find_known_hashes([each for each in hashes.values() if each])
    for event in orphans:
        address_hash = hashes[event.pk]
        if address_hash is None or address_hash not in known:
            continue
        if event.kind == FeedbackKind.COMPLAINED.value:
            found.complained[address_hash] = Message(
                "reported by %(provider)s, of a mail that was no issue", provider=event.provider
            )
        elif event.kind == FeedbackKind.UNSUBSCRIBED.value:
            found.unsubscribed.append(ProviderUnsubscribe(address_hash, None, find_event_time(event)))
        elif event.kind == FeedbackKind.BOUNCED.value and event.body.get("class") == BounceClass.HARD.value:
            found.hard[address_hash] = redact_addresses(f"{event.provider}: {event.body.get('reason', '')}").strip(": ")


def _names_ours(named: EventReference) -> bool:
    return named.delivery is not None or bool(named.batch)


def _close(events: set[int], *, result: ProviderEvent.Result, now: datetime) -> None:
    """What is counted needs the person no more: only the key stays, so that it is counted once.

    Of news that changes nothing when it is counted again not even the key stays: there is a row of it for each mail.
    What holds a token that may be used once is kept for that.
    """
    ProviderEvent.objects.filter(pk__in=events, kind__in=DELETABLE_KINDS, once__isnull=True).delete()
    ProviderEvent.objects.filter(pk__in=events).update(applied_at=now, result=result, body={})
