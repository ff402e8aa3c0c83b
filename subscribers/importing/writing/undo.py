"""Undo one import: people whom it added are removed; people who were there before or acted since stay.

It works in transactions of 2,000 people. Each step finds only what earlier steps left to do.
"""

from collections.abc import Callable, Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from newsletter.common.messages import Message
from subscribers.importing.reading.errors import CannotImport
from subscribers.importing.writing.bulk_removal import delete_people, record_events
from subscribers.importing.writing.file_store import delete_stored_file
from subscribers.importing.writing.import_claim import claim, release, renew_claim
from subscribers.models import (
    Confirmation,
    ConsentEvent,
    EndReason,
    EventKind,
    ImportBatch,
    ImportState,
    Subscriber,
    Subscription,
    Suppression,
)
from subscribers.outbound_events import record_event
from subscribers.unsubscribing.suppression_journal import JournalEntry, journal_after_commit

STEP_SIZE = 2_000
_UNDOABLE = (ImportState.FINISHED, ImportState.FAILED, ImportState.RUNNING)


def request_undo(batch: ImportBatch, *, by: str) -> None:
    """Start to undo an import and stop its run. Raises `CannotImport` if there is nothing to undo."""
    counts = {**batch.counts, "undone_by": by}
    begun = ImportBatch.objects.filter(pk=batch.pk, state__in=_UNDOABLE).update(
        state=ImportState.UNDOING, counts=counts, claimed_by="", claimed_until=None
    )
    if not begun:
        raise CannotImport(
            _("Import %(pk)s has added nobody, or was already undone. Nothing was changed.") % {"pk": batch.pk}
        )
    batch.refresh_from_db()


def undo_now(batch: ImportBatch, *, by: str, clock: Callable[[], datetime]) -> dict[str, int]:
    """Undo the import in this process and return the numbers. Raises `CannotImport`."""
    if batch.state != ImportState.UNDOING:
        request_undo(batch, by=by)
    token = claim(batch, states=[ImportState.UNDOING], now=clock())
    if not token:
        raise CannotImport(_("This import is already being undone. Wait until it ends."))
    continue_undo(batch, token=token, clock=clock)
    batch.refresh_from_db()
    return count_undone(batch)


def count_undone(batch: ImportBatch) -> dict[str, int]:
    """Return people `removed`, subscriptions `ended`, people who `stayed`, suppressions `lifted` and `kept`."""
    found = batch.counts.get("undone", {})
    return {name: int(found.get(name, 0)) for name in ("removed", "ended", "stayed", "lifted", "kept")}


def continue_undo(
    batch: ImportBatch, *, token: str, clock: Callable[[], datetime], stopping: Callable[[], bool] = lambda: False
) -> bool:
    """Continue to undo the import. Return False if it was asked to stop before the end. Raises `ClaimLost`."""
    batch.refresh_from_db()
    steps: list[Callable[[datetime], dict[str, int]]] = [
        lambda now: _remove_people(batch, now=now),
        lambda now: _remove_suppressions(batch, now=now),
    ]
    for step in steps:
        while True:
            if stopping():
                return False
            with transaction.atomic():
                now = clock()
                done = step(now)
                _add_counts(batch, done)
                renew_claim(batch, token=token, now=now, counts=batch.counts)
            if not any(done.values()):
                break
    _add_counts(
        batch, {"stayed": _imported_subscriptions(batch).count(), "kept": _imported_suppressions(batch).count()}
    )
    with transaction.atomic():
        release(batch, token=token, state=ImportState.UNDONE, undone_at=clock(), counts=batch.counts)
        record_event(EventKind.IMPORT_UNDONE, data={"import": batch.pk}, now=clock())
    delete_stored_file(batch)
    return True


def _add_counts(batch: ImportBatch, done: dict[str, int]) -> None:
    undone = dict(batch.counts.get("undone", {}))
    for name, people in done.items():
        undone[name] = undone.get(name, 0) + people
    batch.counts = {**batch.counts, "undone": undone}


def _imported_subscriptions(batch: ImportBatch) -> QuerySet[Subscription]:
    return Subscription.objects.open().filter(import_batch=batch)


def _imported_suppressions(batch: ImportBatch) -> QuerySet[Suppression]:
    return Suppression.objects.live().filter(import_batch=batch)


def _has_acted_since(batch: ImportBatch, **who: object) -> Exists:
    """Return an `Exists` that is true for people who acted themselves after the import."""
    return Exists(ConsentEvent.objects.filter(at__gte=batch.started_at, by="", **who))


def _remove_people(batch: ImportBatch, *, now: datetime) -> dict[str, int]:
    ids = _lock_people(batch)
    others = Subscription.objects.filter(~Q(import_batch=batch) | Q(import_batch=None), subscriber=OuterRef("pk"))
    gone = Subscriber.objects.filter(pk__in=ids.values(), import_batch=batch).exclude(Exists(others))
    removed = set(gone.values_list("pk", flat=True))
    _record(batch, list(ids.values()), kind=ConsentEvent.Kind.ENDED, now=now)
    delete_people(removed)
    staying = [pk for pk, subscriber_id in ids.items() if subscriber_id not in removed]
    Confirmation.objects.filter(
        sent_at__isnull=True, mailing_list=batch.mailing_list, subscriber__subscriptions__in=staying
    ).delete()
    ended = (
        _imported_subscriptions(batch).filter(pk__in=staying).update(ended_at=now, end_reason=EndReason.IMPORT_UNDONE)
    )
    return {"removed": len(removed), "ended": ended}


def _lock_people(batch: ImportBatch) -> dict[int, int]:
    """Lock the people of the next step, and return the ids of their subscriptions and of them.

    Somebody may act before the lock is held. So it is read again under the lock who did, and people who all did are skipped.
    """
    acted = _has_acted_since(batch, address_hash=OuterRef("subscriber__address_hash"))
    found = _imported_subscriptions(batch).filter(~acted, confirmed_at__isnull=True).order_by("pk")
    while people := list(found.values_list("subscriber_id", flat=True)[:STEP_SIZE]):
        list(Subscriber.objects.select_for_update().filter(pk__in=people).order_by("pk").values_list("pk"))
        if ids := dict(found.filter(subscriber__in=people).values_list("pk", "subscriber_id")):
            return ids
    return {}


def _record(batch: ImportBatch, ids: Collection[int], *, kind: ConsentEvent.Kind, now: datetime) -> None:
    record_events(
        ids,
        {
            "mailing_list_id": batch.mailing_list_id,
            "kind": str(kind),
            "at": now,
            "source": Message("import %(pk)s undone", pk=batch.pk),
            "by": str(batch.counts.get("undone_by", "")) or "staff",
        },
    )


def _remove_suppressions(batch: ImportBatch, *, now: datetime) -> dict[str, int]:
    """Remove the import's suppressions, unless something happened to the address since, and reopen what they ended."""
    since = Exists(
        ConsentEvent.objects.filter(at__gte=batch.started_at, address_hash=OuterRef("address_hash")).exclude(
            source=f"import {batch.pk}"
        )
    )
    rows = list(_imported_suppressions(batch).filter(~since).order_by("pk")[:STEP_SIZE])
    by = str(batch.counts.get("undone_by", ""))
    removed = _imported_suppressions(batch).filter(pk__in=[row.pk for row in rows])
    removed.update(removed_at=now, removed_by=by, removal_reason=Message("Import %(pk)s was undone.", pk=batch.pk))
    journal_after_commit(
        JournalEntry(bytes(row.address_hash), row.mailing_list_id, row.reason, now, removed=True) for row in rows
    )
    people = Subscriber.objects.filter(address_hash__in=[row.address_hash for row in rows])
    ended = Subscription.objects.filter(
        subscriber__in=people,
        ended_at=batch.started_at,
        end_reason__in=[EndReason.UNSUBSCRIBE, EndReason.COMPLAINT],
    ).exclude(
        Exists(
            Subscription.objects.open().filter(subscriber=OuterRef("subscriber"), mailing_list=OuterRef("mailing_list"))
        )
    )
    Subscription.objects.bulk_create(_copy_as_open(row) for row in list(ended))
    _record(batch, list(people.values_list("pk", flat=True)), kind=ConsentEvent.Kind.SUPPRESSION_REMOVED, now=now)
    return {"lifted": len(rows)}


def _copy_as_open(ended: Subscription) -> Subscription:
    ended.pk = None
    ended.ended_at, ended.end_reason = None, ""
    return ended
