"""The steps of undoing an import. Each handles the next few thousand rows, in one transaction of a fraction of a second.

The caller has begun the transaction. A step reads the rows that it may change again after it has locked their people,
because people may act at any time. Its statements are few, and none is for one person.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from newsletter.common.messages import Message
from subscribers.confirmation_quota import delete_unsent_requests
from subscribers.importing.writing.bulk_removal import delete_people, record_events
from subscribers.models import (
    Confirmation,
    ConsentEvent,
    EndReason,
    ImportBatch,
    Reason,
    Reply,
    Subscriber,
    Subscription,
    Suppression,
)
from subscribers.person_locks import lock_ids_to_delete, lock_people_to_delete
from subscribers.unsubscribing.suppression_journal import JournalEntry, journal_after_commit

STEP_SIZE = 2_500
_IS_OPEN = Q(ended_at=None)
_BY_THEMSELVES = Q(end_reason__in=[EndReason.UNSUBSCRIBE, EndReason.COMPLAINT])
_ENDED_BY_OTHERS = (EndReason.STAFF, EndReason.EXPIRED, EndReason.LAPSED, EndReason.MERGED)


@dataclass(frozen=True)
class UndoStep:
    """The counts of a step, by the names of `count_undone`, and the id of its last row: None if no row was left."""

    last: int | None = None
    done: dict[str, int] = field(default_factory=dict)


def imported_subscriptions(batch: ImportBatch) -> QuerySet[Subscription]:
    """Return the open subscriptions that the import began."""
    return Subscription.objects.open().filter(import_batch=batch)


def find_staying(batch: ImportBatch) -> QuerySet[Subscription]:
    """Return the subscriptions of the import whose people its undo left alone: people acted, and some unsubscribed.

    If staff, an expiry or a merge ended one, its person may have another subscription to the list, or unsubscribed since.
    """
    others = Subscription.objects.filter(subscriber=OuterRef("subscriber"), mailing_list=OuterRef("mailing_list"))
    left_since = Q(_BY_THEMSELVES, ended_at__gte=OuterRef("ended_at"))
    elsewhere = Q(Exists(others.filter(_IS_OPEN | left_since)), end_reason__in=_ENDED_BY_OTHERS)
    return Subscription.objects.filter(_IS_OPEN | _BY_THEMSELVES | elsewhere, import_batch=batch)


def find_ended_before(batch: ImportBatch) -> QuerySet[Subscription]:
    """Return the subscriptions of the import that had ended before its undo, although the people did not unsubscribe.

    People who stay and people whose other subscription the undo ended are counted as such, and left out here.
    """
    subscriptions = Subscription.objects.filter(import_batch=batch)
    undone = subscriptions.filter(end_reason=EndReason.IMPORT_UNDONE)
    return (
        subscriptions.filter(end_reason__in=_ENDED_BY_OTHERS)
        .exclude(subscriber__in=find_staying(batch).values("subscriber"))
        .exclude(subscriber__in=undone.values("subscriber"))
    )


def imported_suppressions(batch: ImportBatch) -> QuerySet[Suppression]:
    """Return the suppressions that the import added and nobody asked for since."""
    return Suppression.objects.live().filter(import_batch=batch)


def remove_people(batch: ImportBatch, *, after: int, now: datetime) -> UndoStep:
    """Remove the next people whom the import added, and end the subscriptions of those who were known before.

    People who confirmed, replied or acted since are not changed. ``after`` is the last subscription of the
    step before.
    """
    waiting = imported_subscriptions(batch).filter(confirmed_at__isnull=True)
    chosen = waiting.filter(pk__gt=after).order_by("pk").values_list("pk", "subscriber_id")[:STEP_SIZE]
    owners = dict(chosen)
    if not owners:
        return UndoStep()
    people, last = set(owners.values()), max(owners)
    lock_ids_to_delete(people)
    removed, staying = set(), {}
    for subscription, person, is_removable in _find_unchanged(batch, after=after, last=last):
        if person in people and is_removable:
            removed.add(person)
        elif person in people:  # a merge may have given the subscription to somebody else, who is not locked
            staying[subscription] = person
    _record(batch, removed, kind=ConsentEvent.Kind.ENDED, now=now, named=False)
    _record(batch, staying.values(), kind=ConsentEvent.Kind.ENDED, now=now)
    if batch.confirm:
        delete_unsent_requests(Confirmation.objects.filter(subscriber__in=removed))
    delete_people(removed)
    if staying:
        unsent = Confirmation.objects.filter(mailing_list=batch.mailing_list, subscriber__in=staying.values())
        delete_unsent_requests(unsent)
        Subscription.objects.filter(pk__in=staying).update(ended_at=now, end_reason=EndReason.IMPORT_UNDONE)
    return UndoStep(last, {"removed": len(removed), "ended": len(staying)})


def remove_suppressions(batch: ImportBatch, *, after: int, now: datetime) -> UndoStep:
    """Remove the next suppressions of the import, unless something happened to the address since, and reopen what they ended.

    ``after`` is the last suppression of the step before.
    """
    chosen = imported_suppressions(batch).filter(pk__gt=after).order_by("pk").values_list("pk", "address_hash")
    hashes = {pk: bytes(address_hash) for pk, address_hash in chosen[:STEP_SIZE]}
    if not hashes:
        return UndoStep()
    lock_people_to_delete(Subscriber.objects.filter(address_hash__in=set(hashes.values())))
    since = Exists(
        ConsentEvent.objects.filter(at__gte=batch.started_at, address_hash=OuterRef("address_hash")).exclude(
            source=f"import {batch.pk}"
        )
    )
    unchanged = imported_suppressions(batch).filter(~since, pk__in=hashes)
    rows = list(unchanged.select_for_update().order_by("pk"))
    Suppression.objects.filter(pk__in=[row.pk for row in rows]).update(
        removed_at=now,
        removed_by=str(batch.counts.get("undone_by", "")),
        removal_reason=Message("Import %(pk)s was undone.", pk=batch.pk),
    )
    journal_after_commit(
        JournalEntry(bytes(row.address_hash), row.mailing_list_id, row.reason, now, removed=True) for row in rows
    )
    people = Subscriber.objects.filter(address_hash__in={bytes(row.address_hash) for row in rows})
    _reopen(batch, people)
    _record(batch, people.values_list("pk", flat=True), kind=ConsentEvent.Kind.SUPPRESSION_REMOVED, now=now)
    return UndoStep(max(hashes), {"lifted": len(rows)})


def _find_unchanged(batch: ImportBatch, *, after: int, last: int) -> QuerySet[Subscription, tuple[int, int, bool]]:
    """Return the subscriptions of one step that may end: each with its person, and if that person is to be removed."""
    # A bounce is not an action of the person.
    bounced = Q(kind=ConsentEvent.Kind.SUPPRESSED, data__reason__in=[Reason.HARD, Reason.SOFT_LIMIT])
    own_events = ConsentEvent.objects.filter(~bounced, at__gte=batch.started_at, by="")
    # After a merge or a change of address, the earlier events of a person have another hash. A merge is no act of theirs.
    by_address = Exists(own_events.filter(address_hash=OuterRef("subscriber__address_hash")))
    by_person = Exists(own_events.filter(subscriber=OuterRef("subscriber")).exclude(kind=ConsentEvent.Kind.MERGED))
    replied = Exists(Reply.objects.filter(recorded_at__gte=batch.started_at, subscriber=OuterRef("subscriber")))
    other_subscriptions = Subscription.objects.filter(
        ~Q(import_batch=batch) | Q(import_batch=None), subscriber=OuterRef("subscriber")
    )
    return (
        imported_subscriptions(batch)
        .filter(~by_address, ~by_person, ~replied, confirmed_at__isnull=True, pk__gt=after, pk__lte=last)
        .annotate(is_removable=Q(subscriber__import_batch=batch) & ~Exists(other_subscriptions))
        .values_list("pk", "subscriber_id", "is_removable")
    )


def _reopen(batch: ImportBatch, people: QuerySet[Subscriber]) -> None:
    """Open a copy of each subscription that the import's suppressions ended, if the person has no open one."""
    still_open = Subscription.objects.open().filter(
        subscriber=OuterRef("subscriber"), mailing_list=OuterRef("mailing_list")
    )
    ended = Subscription.objects.filter(
        ~Exists(still_open),
        subscriber__in=people,
        ended_at=batch.started_at,
        end_reason__in=[EndReason.UNSUBSCRIBE, EndReason.COMPLAINT],
    )
    Subscription.objects.bulk_create(_copy_as_open(row) for row in list(ended))


def _copy_as_open(ended: Subscription) -> Subscription:
    ended.pk = None
    ended.ended_at, ended.end_reason = None, ""
    return ended


def _record(
    batch: ImportBatch, people: Collection[int], *, kind: ConsentEvent.Kind, now: datetime, named: bool = True
) -> None:
    record_events(
        people,
        {
            "mailing_list_id": batch.mailing_list_id,
            "kind": str(kind),
            "at": now,
            "source": Message("import %(pk)s undone", pk=batch.pk),
            "by": str(batch.counts.get("undone_by", "")) or "staff",
        },
        named=named,
    )
