"""Apply stored events to deliveries, batches, people and sends. Their order does not matter; each counts once."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from newsletter.common.messages import Message
from newsletter.feedback.automatic_pause import pause_failing_sends, record_refusals
from newsletter.feedback.consequences import Consequences, ProviderUnsubscribe, apply_consequences, find_known_hashes
from newsletter.feedback.delivery_facts import Facts, find_event_time, load_facts, redact_addresses, write_facts
from newsletter.feedback.endpoint import list_account_names
from newsletter.feedback.match_events import EventReference, Target, match_events, read_reference
from newsletter.feedback.provider_suppressions import ListEntry, UnsentMail, add_reported, add_unsent
from newsletter.feedback.settle_by_evidence import settle_by_evidence
from newsletter.feedback.webhook_setup.keys import note_report
from newsletter.models import ProviderEvent, SenderDelay
from newsletter.models.feedback import Bounce
from newsletter.providers.base.webhooks.events import BounceClass, FeedbackKind
from newsletter.providers.registry import is_atomic, name_provider
from newsletter.sending.settling.delivered_bitmap import Handover, mark_delivered
from subscribers.identity import has_own_key
from subscribers.models import Reason
from subscribers.outbound_events import PROVIDER, acting_through

MAX_EVENT_AGE = timedelta(minutes=15)
RETRY_AFTER = timedelta(seconds=30)
EVENTS_A_ROUND = 2000
MAX_ROUNDS = 500
_LOCK = 7_206_311_850
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


def apply_due_events(*, clock: Callable[[], datetime] = timezone.now) -> int:
    """Apply the events that are due, in at most ``MAX_ROUNDS`` rounds. Return how many were examined.

    Under another address key than the database has, their addresses would match nobody: they wait for the right one.
    """
    if not has_own_key():
        return 0
    total = 0
    for _ in range(MAX_ROUNDS):
        examined = apply_events(now=clock())
        total += examined
        if examined < EVENTS_A_ROUND:
            break
    return total


def has_waiting_event(*, by: datetime) -> bool:
    """Return True if an event is due by this time, and can be applied: under another address key, it waits for a restart."""
    return _find_due(by).exists() and has_own_key()


@transaction.atomic
def apply_events(*, now: datetime) -> int:
    """Apply up to ``EVENTS_A_ROUND`` events that are due, in one transaction. Return how many were examined.

    If its delivery is not known yet, or its call is still running, an event is tried again for 15 minutes.
    Return 0 at once if another worker applies events already.
    """
    if not _try_lock():
        return 0
    with acting_through(PROVIDER):
        return _apply_due(now=now)


def _find_due(now: datetime) -> QuerySet[ProviderEvent]:
    """Return the events to apply. A wait of more than ``MAX_EVENT_AGE`` is left from a clock that was ahead.

    The union of two queries uses the index. With both conditions in one query, a database would read the whole table.
    """
    waiting = ProviderEvent.objects.filter(applied_at__isnull=True).order_by().values("pk")
    was_ahead = waiting.filter(retry_at__gt=now + MAX_EVENT_AGE)
    return ProviderEvent.objects.filter(pk__in=waiting.filter(retry_at__lte=now).union(was_ahead, all=True))


def _apply_due(*, now: datetime) -> int:
    events = list(_find_due(now).order_by("retry_at", "pk")[:EVENTS_A_ROUND])
    if not events:
        return 0
    references = {event.pk: read_reference(event) for event in events}
    targets = match_events(references)
    matched = [(event, targets[event.pk]) for event in events if event.pk in targets]
    before = load_facts({target.delivery for _, target in matched})
    after = _add_events(matched, before)
    write_facts({pk: facts for pk, facts in after.items() if facts != before.get(pk, Facts())}, now=now)
    mark_delivered(_find_delivered(matched), at=now)
    delayed = _record_sender_delays(matched)
    still_open = settle_by_evidence(
        proven=dict.fromkeys(target for _, target in matched),
        atomic={target.batch for event, target in matched if is_atomic(event.provider)},
        now=now,
    )
    consequences = _find_consequences(matched, before=before, after=after)
    add_unsent(consequences, _list_unsent(matched, before=before))
    too_late = {
        event.pk
        for event in events
        if event.received_at + MAX_EVENT_AGE <= now or not _has_our_identifiers(references[event.pk])
    }
    orphans = [event for event in events if event.pk not in targets and event.pk in too_late]
    _add_orphans(consequences, orphans, references=references)
    apply_consequences(consequences, now=now)
    done = {event.pk for event, target in matched if target.batch not in still_open or event.pk in too_late}
    _close(done, result=ProviderEvent.Result.APPLIED, now=now)
    _close({event.pk for event in orphans}, result=ProviderEvent.Result.ORPHAN, now=now)
    later = {event.pk for event in events} - done - {event.pk for event in orphans}
    ProviderEvent.objects.filter(pk__in=later).update(retry_at=now + RETRY_AFTER)
    problem_sends = {target.send for event, target in matched if event.kind in _PROBLEM_KINDS and not target.proof}
    record_refusals(send_ids=problem_sends | delayed)
    pause_failing_sends(send_ids=problem_sends | delayed, now=now)
    # Last, because a webhook that arrives at this moment waits for these rows.
    _note_reports(matched)
    return len(events)


def _try_lock() -> bool:
    """Take PostgreSQL's lock for this transaction. SQLite has only one writer anyway."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


def _note_reports(matched: list[tuple[ProviderEvent, Target]]) -> None:
    """Note when each account last reported, at providers with several accounts: they may all report to one address."""
    names = {provider: list_account_names(provider) for provider in {event.provider for event, _ in matched}}
    newest: dict[tuple[str, str], tuple[datetime, str]] = {}
    for event, target in matched:
        account = event.provider, target.account
        if len(names[event.provider]) > 1 and target.account in names[event.provider]:
            report = event.received_at, str(event.body.get("verified_by", ""))
            newest[account] = max(newest.get(account, report), report)
    for (provider, name), (received_at, verified_by) in sorted(newest.items()):
        note_report(provider, account=name, now=received_at, verified_by=verified_by)


def _add_events(matched: list[tuple[ProviderEvent, Target]], before: Mapping[int, Facts]) -> dict[int, Facts]:
    after: dict[int, Facts] = {}
    for event, target in matched:
        facts = after.get(target.delivery) or before.get(target.delivery) or Facts()
        after[target.delivery] = facts.add(event)
    return after


def _find_delivered(matched: list[tuple[ProviderEvent, Target]]) -> dict[int, Handover]:
    """Map each delivered delivery to its send and account."""
    kind = FeedbackKind.DELIVERED.value
    return {
        target.delivery: Handover(target.send, target.account)
        for event, target in matched
        if event.kind == kind and not target.proof
    }


def _record_sender_delays(matched: list[tuple[ProviderEvent, Target]]) -> set[int]:
    """Record the mails that were delayed because of their sender, each once. Return their sends."""
    kind = FeedbackKind.DEFERRED.value
    delays = [
        (event, target)
        for event, target in matched
        if event.kind == kind and event.body.get("status") and not target.proof
    ]
    SenderDelay.objects.bulk_create(
        (
            SenderDelay(delivery_id=target.delivery, status=str(event.body["status"])[:12], at=find_event_time(event))
            for event, target in sorted(delays, key=lambda pair: pair[1].delivery)
        ),
        ignore_conflicts=True,
    )
    return {target.send for _, target in delays}


def _find_consequences(
    matched: list[tuple[ProviderEvent, Target]], *, before: Mapping[int, Facts], after: Mapping[int, Facts]
) -> Consequences:
    """Return the consequences of the new facts about each delivery. A repeat does not undo what staff decided since."""
    consequences = Consequences()
    last_by_delivery = {target.delivery: (event, target) for event, target in matched}
    for event, target in last_by_delivery.values():
        old, new = before.get(target.delivery, Facts()), after[target.delivery]
        if target.address_hash is None:
            continue
        if new.complained_at and not old.complained_at:
            consequences.complaints[target.address_hash] = Message(
                "reported by %(provider)s", provider=name_provider(event.provider)
            )
        if new.unsubscribed_at and not old.unsubscribed_at:
            consequences.unsubscribed.append(ProviderUnsubscribe(target.address_hash, target.send, new.unsubscribed_at))
        if new.bounce and (old.bounce is None or old.bounce.bounce_class != new.bounce.bounce_class):
            if new.bounce.bounce_class == Bounce.Class.HARD:
                consequences.hard_bounces[target.address_hash] = (
                    f"{name_provider(event.provider)}: {new.bounce.reason}".strip(": ")
                )
            elif new.bounce.bounce_class == Bounce.Class.SOFT:
                consequences.soft_bounces[target.subscriber] = target.address_hash
    return consequences


def _list_unsent(matched: list[tuple[ProviderEvent, Target]], *, before: Mapping[int, Facts]) -> Iterator[UnsentMail]:
    """Yield the new facts about mails that a provider did not try to send."""
    for event, target in matched:
        bounce = before.get(target.delivery, Facts()).bounce
        is_new = bounce is None or bounce.bounce_class != Bounce.Class.SUPPRESSED
        if is_new and (mail := _read_unsent(event, target.address_hash)):
            yield mail


def _read_unsent(event: ProviderEvent, address_hash: bytes | None) -> UnsentMail | None:
    """Return the mail, unless it was tried or the provider does not say why the address is on its list."""
    listed_for = event.body.get("listed_for")
    if not listed_for or address_hash is None:
        return None
    reason = redact_addresses(str(event.body.get("reason", "")))
    return UnsentMail(event.provider, address_hash, FeedbackKind(listed_for), find_event_time(event), reason)


def _add_orphans(
    consequences: Consequences, orphans: list[ProviderEvent], *, references: Mapping[int, EventReference]
) -> None:
    """Add the consequences of reports about other mails to our subscribers, such as confirmations."""
    hashes = {event.pk: references[event.pk].address_hash for event in orphans}
    subscriber_hashes = find_known_hashes([address_hash for address_hash in hashes.values() if address_hash])
    about_known = [(event, person) for event in orphans if (person := hashes[event.pk]) and person in subscriber_hashes]
    add_unsent(consequences, (mail for event, person in about_known if (mail := _read_unsent(event, person))))
    add_reported(consequences, (entry for event, person in about_known if (entry := _read_orphan(event, person))))


def _read_orphan(event: ProviderEvent, address_hash: bytes) -> ListEntry | None:
    """Return what an event about another mail says of the person, None if nobody is suppressed by it.

    It may be a repeat, long after the mail and all that was known of it were deleted.
    """
    at = find_event_time(event)
    if event.kind == FeedbackKind.COMPLAINED.value:
        note = Message(
            "reported by %(provider)s about a mail that was not an issue", provider=name_provider(event.provider)
        )
        return ListEntry(address_hash, Reason.COMPLAINT, at, note)
    if event.kind == FeedbackKind.UNSUBSCRIBED.value:
        return ListEntry(address_hash, Reason.UNSUBSCRIBE, at, "")
    if event.kind == FeedbackKind.BOUNCED.value and event.body.get("class") == BounceClass.HARD.value:
        reason = redact_addresses(f"{event.provider}: {event.body.get('reason', '')}").strip(": ")
        return ListEntry(address_hash, Reason.HARD, at, reason)
    return None


def _has_our_identifiers(reference: EventReference) -> bool:
    return reference.delivery is not None or bool(reference.batch)


def _close(events: set[int], *, result: ProviderEvent.Result, now: datetime) -> None:
    """Close events and delete what they say about a person. The key stays, so that a repeat does not count.

    Delete kinds that occur once per mail, because counting them twice does no harm. Keep events with a single-use token.
    """
    ProviderEvent.objects.filter(pk__in=events, kind__in=DELETABLE_KINDS, once__isnull=True).delete()
    ProviderEvent.objects.filter(pk__in=events).update(applied_at=now, result=result, body={})
