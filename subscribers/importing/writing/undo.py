"""Undo one import: people whom it added are removed; people who were there before or acted since stay.

It works in steps, each in its own transaction, so that others can write between them. After a kill, it begins with the first
row again and finds only what earlier steps left to do.
"""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from newsletter.common.database.sqlite_pragmas import larger_sqlite_cache
from subscribers.importing.reading.errors import CannotImport
from subscribers.importing.writing.file_store import delete_stored_file
from subscribers.importing.writing.import_claim import claim, release, renew_claim
from subscribers.importing.writing.undo_steps import (
    find_ended_before,
    find_staying,
    imported_suppressions,
    remove_people,
    remove_suppressions,
)
from subscribers.models import EventKind, ImportBatch, ImportState
from subscribers.outbound_events import record_event

CACHE_MB = 32
_UNDOABLE = (ImportState.FINISHED, ImportState.FAILED, ImportState.RUNNING)


def request_undo(batch: ImportBatch, *, by: str) -> None:
    """Start to undo an import and stop its run. Raises `CannotImport` if there is nothing to undo."""
    counts = {**batch.counts, "undone_by": by}
    checked_again = Q(state=ImportState.CHECKED) & ~Q(counts={})
    begun = ImportBatch.objects.filter(Q(state__in=_UNDOABLE) | checked_again, pk=batch.pk).update(
        state=ImportState.UNDOING, counts=counts, claimed_by="", claimed_until=None, attempts=0, problem=""
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
    """Return the numbers of an undo by name.

    These are people `removed`, subscriptions `ended`, people who `stayed`, people whose subscription had `ended_before`,
    suppressions `lifted` and `kept`.
    """
    counts = batch.counts.get("undone", {})
    names = ("removed", "ended", "stayed", "ended_before", "lifted", "kept")
    return {name: int(counts.get(name, 0)) for name in names}


def continue_undo(
    batch: ImportBatch, *, token: str, clock: Callable[[], datetime], stopping: Callable[[], bool] = lambda: False
) -> bool:
    """Continue to undo the import. Return False if it was asked to stop before the end. Raises `ClaimLost`."""
    batch.refresh_from_db()
    with larger_sqlite_cache(megabytes=CACHE_MB):
        if not _take_steps(batch, token=token, clock=clock, stopping=stopping):
            return False
    _add_counts(
        batch,
        {
            "stayed": find_staying(batch).values("subscriber").distinct().count(),
            "ended_before": find_ended_before(batch).values("subscriber").distinct().count(),
            "kept": imported_suppressions(batch).count(),
        },
    )
    with transaction.atomic():
        release(batch, token=token, state=ImportState.UNDONE, undone_at=clock(), counts=batch.counts)
        record_event(EventKind.IMPORT_UNDONE, data={"import": batch.pk}, now=clock())
    delete_stored_file(batch)
    return True


def _take_steps(batch: ImportBatch, *, token: str, clock: Callable[[], datetime], stopping: Callable[[], bool]) -> bool:
    """Take all steps. Return False if it was asked to stop before the last one."""
    for take_step in (remove_people, remove_suppressions):
        after: int | None = 0
        while after is not None:
            if stopping():
                return False
            with transaction.atomic():
                now = clock()
                step = take_step(batch, after=after, now=now)
                _add_counts(batch, step.done)
                attempts = 0 if any(step.done.values()) else F("attempts")
                renew_claim(batch, token=token, now=now, counts=batch.counts, attempts=attempts)
            after = step.last
    return True


def _add_counts(batch: ImportBatch, done: dict[str, int]) -> None:
    undone = dict(batch.counts.get("undone", {}))
    for name, people in done.items():
        undone[name] = undone.get(name, 0) + people
    batch.counts = {**batch.counts, "undone": undone}
