"""The steps of an import in the desk: upload, map columns, check, run, or discard.

Each step moves the batch by compare-and-set; any free worker does the work.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import BinaryIO

from django.db import Error, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from newsletter.common.messages import Message
from subscribers.importing.reading.column_mapping import check_mapping, header_key, reuse_mapping
from subscribers.importing.reading.errors import CannotImport
from subscribers.importing.reading.export_formats import refuse_export_without_opt_outs, refuse_non_subscribed_export
from subscribers.importing.reading.file_format import ENCODINGS, measure_file
from subscribers.importing.reading.mapping_proposal import propose_mapping
from subscribers.importing.reading.people_file import FileSample, inspect_file, open_csv, sample_file
from subscribers.importing.writing.file_store import delete_stored_file, load_file, store_file
from subscribers.importing.writing.import_claim import ClaimedProgress, ClaimLost, claim, release
from subscribers.importing.writing.import_failures import describe_failure, describe_missing_progress
from subscribers.importing.writing.import_people import check_terms
from subscribers.importing.writing.import_run import ImportRun, fill_from_file
from subscribers.importing.writing.report import find_rows_to_skip
from subscribers.importing.writing.restarts import date_start, has_changed_people, keep_counts, keep_evidence
from subscribers.importing.writing.row_notes import delete_old_row_notes
from subscribers.importing.writing.undo import continue_undo
from subscribers.models import Basis, ImportBatch, ImportKind, ImportRefusal, ImportState, MailingList
from subscribers.outbound_events import IMPORT, acting_through, current_origin

UPLOAD_RETENTION_DAYS = 7
_WORKING_STATES = (ImportState.CHECKING, ImportState.RUNNING, ImportState.UNDOING)
_MAPPED_STATES = (ImportState.CHECKED, ImportState.RUNNING, ImportState.FINISHED, ImportState.UNDONE)
_DISCARDABLE_STATES = (ImportState.DRAFT, ImportState.CHECKED, ImportState.FAILED)
_ABANDONED_AFTER = timedelta(days=1)
_ABANDONED = Message(
    "The process that imported these people was stopped before the end. Those who were imported stay. Import the same people "
    "again in the same way to continue, or undo this import."
)
_FILE_DELETED = Message(
    "The file was deleted %(days)s days after it was uploaded. The people who were imported before stay. Upload the file again "
    "to import the others, or undo this import.",
    days=UPLOAD_RETENTION_DAYS,
)


@dataclass(frozen=True)
class ImportOptions:
    """A person's decisions about a file: the field of each column, who the people are, and why they may be mailed."""

    mapping: Sequence[str]
    kind: ImportKind
    basis: Basis
    evidence: str
    collected_on: date | None = None
    expires_on: date | None = None
    country: str = ""
    confirm: bool = False
    encoding: str = ""


@transaction.atomic
def create_draft_import(
    *,
    file: BinaryIO,
    name: str,
    mailing_list: MailingList,
    by: str,
    now: datetime,
    typed: bool = False,
    by_key: int | None = None,
) -> ImportBatch:
    """Store a file as a draft import, with its detected format. ``typed``: its header was added. Raises `BadFile`.

    ``by_key`` is the key of the API that uploads it; the changes then keep the origin of the call.
    """
    with open_csv(file) as source:
        detected = inspect_file(source)
        refuse_non_subscribed_export(detected.layout, file_name=name)
        batch = ImportBatch(mailing_list=mailing_list, file_name=name[:200], by=by, started_at=now, typed=typed)
        if by_key is not None:
            batch.by_key, batch.origin = by_key, current_origin()
        fill_from_file(batch, detected)
        batch.kind = ImportKind(detected.layout.kind)
        batch.header_key = header_key(detected.header)
        batch.mapping = find_previous_mapping(detected.header) or propose_mapping(
            detected.guess(), sample=sample_file(source, detected=detected)
        )
        batch.file_key, batch.file_bytes, batch.lines = measure_file(source)
        batch.save()
        store_file(batch, source)
    return batch


def find_previous_mapping(header: Sequence[str]) -> list[str]:
    """Return the mapping that was last chosen for these very columns, or []."""
    before = ImportBatch.objects.filter(header_key=header_key(header), state__in=_MAPPED_STATES).order_by("-pk").first()
    return reuse_mapping(header, before=before.header, mapping=before.mapping) if before is not None else []


def read_sample(batch: ImportBatch) -> FileSample:
    """Return some values of each column of the stored file, and how many people a short file has."""
    with load_file(batch) as file:
        return sample_file(file, detected=inspect_file(file, encoding=batch.encoding))


def set_import_terms(
    batch: ImportBatch,
    *,
    terms: ImportOptions,
    now: datetime,
    check: bool = True,
    write_entry: Callable[[], object] | None = None,
) -> None:
    """Store the decisions and have the file checked, or without `check` imported. Raises `CannotImport`, `BadFile`.

    The change and the staff log's entry, by `write_entry`, are one transaction. The file is read before it.
    """
    if terms.encoding and terms.encoding not in ENCODINGS:
        raise CannotImport(_("This encoding is unknown. Choose one from the list."))
    check_terms(basis=terms.basis, evidence=terms.evidence, by=batch.by, kind=terms.kind)
    header = list(batch.header)
    encoding = terms.encoding or batch.encoding
    if encoding != batch.encoding:
        with load_file(batch) as file:
            header = inspect_file(file, encoding=encoding).header
    check_mapping(terms.mapping, header=header)
    if terms.kind == ImportKind.JOIN:
        refuse_export_without_opt_outs(header)
    chosen: dict[str, object] = {
        "mapping": list(terms.mapping),
        "kind": terms.kind,
        "basis": terms.basis,
        "evidence": terms.evidence.strip(),
        "collected_on": terms.collected_on,
        "expires_on": terms.expires_on,
        "country": terms.country,
        "confirm": terms.confirm,
        "encoding": encoding,
        "header": header,
    }
    counts: dict[str, object] = {}
    if batch.counts:
        chosen["evidence"] = keep_evidence(batch, chosen)
        counts = keep_counts(batch, chosen)
    with transaction.atomic():
        _transition(
            batch,
            states=_DISCARDABLE_STATES,
            state=ImportState.CHECKING if check else ImportState.RUNNING,
            started_at=batch.started_at if check else date_start(batch, now=now),
            checked={},
            problem="",
            counts=counts,
            rows_done=0 if check else find_rows_to_skip(counts),
            **chosen,
        )
        if write_entry is not None:
            write_entry()


def start_run(batch: ImportBatch, *, now: datetime) -> None:
    """Start the import of a checked file. Raises `CannotImport`."""
    _transition(
        batch,
        states=(ImportState.CHECKED,),
        state=ImportState.RUNNING,
        started_at=date_start(batch, now=now),
        rows_done=find_rows_to_skip(batch.counts),
    )


@transaction.atomic
def discard_import(batch: ImportBatch) -> None:
    """Delete an import that changed nobody, with its file and its refused lines. Raises `CannotImport`."""
    row = ImportBatch.objects.select_for_update().filter(pk=batch.pk).first()
    if row is None:
        raise CannotImport("This import was deleted meanwhile. There is nothing left to delete.")
    if row.state in (ImportState.UNDOING, ImportState.UNDONE) or "undone_by" in row.counts:
        raise CannotImport("This import is undone or being undone, so it cannot be deleted. We keep its numbers.")
    if has_changed_people(row.counts):
        if row.kind == ImportKind.JOIN:
            raise CannotImport("This import has already added people, so it cannot be deleted. Undo it instead.")
        raise CannotImport("This import has already suppressed addresses, so it cannot be deleted. Undo it instead.")
    if row.state == ImportState.RUNNING:
        raise CannotImport("This import is running, so it cannot be deleted. Undo it instead, which stops it first.")
    if row.state == ImportState.FINISHED:
        raise CannotImport(
            "This import has ended and changed nobody, so there is nothing to undo. We keep its numbers, and its refused "
            "lines for %(days)s days.",
            days=UPLOAD_RETENTION_DAYS,
        )
    row.delete()


def process_pending_imports(*, clock: Callable[[], datetime], stopping: Callable[[], bool] = lambda: False) -> int:
    """Continue every import that no other worker has claimed. Return how many were finished."""
    ended = 0
    for batch in ImportBatch.objects.at_work().select_related("mailing_list").order_by("pk"):
        if stopping():
            break
        token = claim(batch, states=[ImportState(batch.state)], now=clock())
        if token:
            batch.refresh_from_db()
            with acting_through(batch.origin or IMPORT):
                ended += _process(batch, token=token, clock=clock, stopping=stopping)
    return ended


def has_import_at_work() -> bool:
    """Return True if an import has started and not ended. It may wait for the end of a lease."""
    return ImportBatch.objects.at_work().exists()


def delete_old_import_files(*, now: datetime) -> int:
    """Delete undecided files, refused lines and row notes after 7 days. Return how many imports or lines were deleted."""
    _end_abandoned_imports(now=now)
    before = now - timedelta(days=UPLOAD_RETENTION_DAYS)
    old = ImportBatch.objects.filter(started_at__lt=before, state__in=_DISCARDABLE_STATES)
    stale = list(old.filter(counts={}))
    for batch in stale:
        batch.delete()
    for batch in ImportBatch.objects.filter(started_at__lt=before, stored=True).exclude(state__in=_WORKING_STATES):
        unfinished = ImportBatch.objects.filter(pk=batch.pk, state__in=[ImportState.CHECKED, ImportState.FAILED])
        half_undone = Q(state=ImportState.FAILED, counts__has_key="undone_by")
        unfinished.exclude(half_undone).update(state=ImportState.FAILED, problem=_FILE_DELETED)
        delete_stored_file(batch)
    lines, _ = ImportRefusal.objects.filter(batch__started_at__lt=before).delete()
    delete_old_row_notes(before=before)
    return len(stale) + lines


def _end_abandoned_imports(*, now: datetime) -> None:
    """End each import whose file only its own process had, if that process stopped a day ago."""
    before = now - _ABANDONED_AFTER
    ended = Q(claimed_until__lt=before) | Q(claimed_until__isnull=True, started_at__lt=before)
    ImportBatch.objects.filter(ended, state=ImportState.RUNNING, stored=False).update(
        state=ImportState.FAILED, problem=_ABANDONED, claimed_by="", claimed_until=None
    )


def _process(batch: ImportBatch, *, token: str, clock: Callable[[], datetime], stopping: Callable[[], bool]) -> bool:
    try:
        problem = describe_missing_progress(batch)
        if problem is None:
            try:
                ended = _continue(batch, token=token, clock=clock, stopping=stopping)
            except (ClaimLost, Error):
                raise
            except Exception as error:  # noqa: BLE001 - a defect would keep the import at work for ever
                problem = describe_failure(batch, error)
        if problem is not None:
            release(batch, token=token, state=ImportState.FAILED, problem=problem)
            return True
        if not ended:
            release(batch, token=token, attempts=0)
    except ClaimLost:
        return False
    return ended


def _continue(batch: ImportBatch, *, token: str, clock: Callable[[], datetime], stopping: Callable[[], bool]) -> bool:
    if batch.state == ImportState.UNDOING:
        return continue_undo(batch, token=token, clock=clock, stopping=stopping)
    return _process_file(batch, token=token, clock=clock, stopping=stopping)


def _process_file(
    batch: ImportBatch, *, token: str, clock: Callable[[], datetime], stopping: Callable[[], bool]
) -> bool:
    checking = batch.state == ImportState.CHECKING
    with load_file(batch) as file:
        stored = ClaimedProgress(batch, token=token, clock=clock)
        run = ImportRun(batch=batch, file=file, dry_run=checking, stored=stored, stopping=stopping)
        if not run.go():
            return False
        if checking:
            stored.finish_check(run.report)
        else:
            stored.finish(run.report)
            delete_stored_file(batch)
    return True


def _transition(batch: ImportBatch, *, states: Sequence[ImportState], **fields: object) -> None:
    moved = ImportBatch.objects.filter(pk=batch.pk, state__in=states, stored=True).update(
        claimed_by="", claimed_until=None, attempts=0, **fields
    )
    if not moved:
        raise CannotImport(
            _("This import has changed since you opened the page. Reload the page to see its current state.")
        )
    batch.refresh_from_db()
