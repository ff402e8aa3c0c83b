"""Claim an import for one worker, and store its progress. A claim is a lease; a worker that lost it writes nothing more."""

import uuid
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from newsletter.common.database.future_times import make_ahead_filter
from newsletter.common.errors import DomainError
from subscribers.importing.reading.parsed_rows import RefusedRow
from subscribers.importing.writing.report import ImportReport, make_storable
from subscribers.models import EventKind, ImportBatch, ImportRefusal, ImportState
from subscribers.outbound_events import record_event

LEASE = timedelta(seconds=60)
_MAX_KEPT_REFUSALS = 200


class ClaimLost(DomainError):
    """Another worker has the import now, or it was stopped. Uncommitted work is not written."""


def claim(batch: ImportBatch, *, states: Iterable[ImportState], now: datetime) -> str:
    """Return a token that only this process has, or "" if another worker has the import."""
    token = uuid.uuid4().hex
    free = (
        Q(claimed_until__isnull=True)
        | Q(claimed_until__lte=now)
        | make_ahead_filter("claimed_until", now=now, wait=LEASE)
    )
    won = ImportBatch.objects.filter(free, pk=batch.pk, state__in=list(states)).update(
        claimed_by=token, claimed_until=now + LEASE, attempts=F("attempts") + 1
    )
    return token if won else ""


def renew_claim(
    batch: ImportBatch, *, token: str, now: datetime, where: dict[str, object] | None = None, **fields: object
) -> None:
    """Write fields of the batch and extend the lease. Raises `ClaimLost`."""
    held = ImportBatch.objects.filter(pk=batch.pk, claimed_by=token, state=batch.state, **(where or {}))
    if not held.update(claimed_until=now + LEASE, **fields):
        raise ClaimLost(
            "Another worker took over %(batch)s, or it was stopped. This worker writes nothing more.", batch=batch
        )


def release(batch: ImportBatch, *, token: str, **fields: object) -> None:
    """End the claim with the last fields that are written under it. Raises `ClaimLost`."""
    held = ImportBatch.objects.filter(pk=batch.pk, claimed_by=token, state=batch.state)
    if not held.update(claimed_by="", claimed_until=None, **fields):
        raise ClaimLost("Another worker took over %(batch)s, or it was stopped.", batch=batch)


class ClaimedProgress:
    """The stored progress of one claimed import. Each write extends the claim. Raises `ClaimLost`."""

    def __init__(self, batch: ImportBatch, *, token: str, clock: Callable[[], datetime]) -> None:
        self._batch = batch
        self._token = token
        self._clock = clock
        self._notes_dropped = batch.row_notes_dropped

    def read_clock(self) -> datetime:
        return self._clock()

    def extend_claim(self) -> None:
        renew_claim(self._batch, token=self._token, now=self._clock())

    def save_chunk(self, report: ImportReport, *, rows_before: int, refused: Iterable[RefusedRow]) -> None:
        """Store the refused lines, the counts and the new position. Call it in the chunk's transaction.

        The first chunk replaces what an earlier run that failed has stored.
        """
        if not rows_before:
            self._batch.refusals.all().delete()
        ImportRefusal.objects.bulk_create(
            ImportRefusal(
                batch=self._batch, line=row.line, kind=row.kind, raw=row.raw, reason=make_storable(row.reason)
            )
            for row in refused
        )
        self._forget_dropped_notes(report)
        renew_claim(
            self._batch,
            token=self._token,
            now=self._clock(),
            where={"rows_done": rows_before},
            rows_done=report.rows,
            counts=report.as_stored(),
            attempts=0,
        )

    def save_checked_rows(self, report: ImportReport) -> None:
        """Store how far a dry run is, for its progress bar. It begins with the first row, so only later rows are progress."""
        before = self._batch.rows_done
        renew_claim(
            self._batch,
            token=self._token,
            now=self._clock(),
            rows_done=max(report.rows, before),
            attempts=0 if report.rows > before else F("attempts"),
        )

    @transaction.atomic
    def finish(self, report: ImportReport) -> None:
        """Mark the import as complete."""
        self._forget_dropped_notes(report)
        release(
            self._batch,
            token=self._token,
            state=ImportState.FINISHED,
            finished_at=self._clock(),
            counts=report.as_stored(),
        )
        record_event(EventKind.IMPORT_FINISHED, data={"import": self._batch.pk, "rows": report.rows}, now=self._clock())

    @transaction.atomic
    def finish_check(self, report: ImportReport) -> None:
        """Mark the dry run as complete. Only its numbers are kept."""
        self._forget_dropped_notes(report)
        results = report.as_stored(refusals=_MAX_KEPT_REFUSALS)
        release(self._batch, token=self._token, state=ImportState.CHECKED, rows_done=0, checked=results)

    def _forget_dropped_notes(self, report: ImportReport) -> None:
        """Forget the notes if they were dropped since the last step. None are dropped until this transaction ends."""
        batch = ImportBatch.objects.select_for_update().only("row_notes_dropped").filter(pk=self._batch.pk).first()
        dropped = batch.row_notes_dropped if batch is not None else 0
        if dropped != self._notes_dropped:
            report.discard_row_notes()
            self._notes_dropped = dropped
