"""API calls about an import after its dry run: read what would happen, then start the import or delete it."""

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from ninja import Status

from newsletter.api.calls.access import get_key
from newsletter.api.calls.preconditions import check_unchanged
from newsletter.api.calls.problems import Problem
from newsletter.api.people.import_schemas import DryRun, ImportAnswer, LineNote, RefusedInDryRun
from newsletter.api.people.imports import (
    IMPORTING,
    find_own_import,
    list_read_columns,
    log_import,
    read_counts,
    require_lists_of_kind,
    router,
    show_import,
)
from newsletter.common.errors import NotFound
from subscribers.importing.reading.errors import CannotImport
from subscribers.importing.writing.import_steps import discard_import, start_run
from subscribers.importing.writing.report import iter_stored_notes
from subscribers.models import ImportBatch, ImportState


@router.get("imports/{int:batch}/dry-run", auth=IMPORTING, response=DryRun, summary="Read a dry run")
def read_dry_run(request: HttpRequest, batch: int) -> DryRun:
    """Return what the import would do, line by line where it differs from the file. 404 until the check is complete."""
    row = find_own_import(get_key(request), batch)
    if not row.checked:
        raise NotFound("Import %(id)s has no complete dry run. Its state is “%(state)s”.", id=batch, state=row.state)
    return _show_dry_run(row)


@router.post(
    "imports/{int:batch}/start", auth=IMPORTING, response={202: ImportAnswer}, summary="Import after a dry run"
)
@transaction.atomic
def start_checked_import(request: HttpRequest, batch: int) -> Status[ImportAnswer]:
    """Import the file whose dry run is complete, with the same columns and terms. Its state must be `checked`."""
    key = get_key(request)
    row = find_own_import(key, batch, lock=True)
    require_lists_of_kind(key, row.kind)
    if row.state != ImportState.CHECKED:
        detail = "Wait until its state is “checked”." if row.state == ImportState.CHECKING else "Upload the file again."
        raise Problem(
            409,
            "This import cannot be started",
            f"Its state is “{row.state}”. Nothing was changed. {detail}",
            code="wrong_state",
        )
    start_run(row, now=timezone.now())
    log_import(key, row, action="subscribers.import", kind=row.kind, basis=row.basis)
    return Status(202, show_import(row))


@router.delete("imports/{int:batch}", auth=IMPORTING, response={204: None}, summary="Delete an import without people")
@transaction.atomic
def delete_import(request: HttpRequest, batch: int) -> Status[None]:
    """Delete an import that added nobody, with its file. After 7 days that is done by itself."""
    key = get_key(request)
    row = find_own_import(key, batch, lock=True)
    check_unchanged(request, show_import(row))
    log_import(key, row, action="subscribers.import_discard")
    try:
        discard_import(row)
    except CannotImport as error:
        raise Problem(409, "This import cannot be deleted", str(error), code="wrong_state") from error
    return Status(204, None)


def _show_dry_run(row: ImportBatch) -> DryRun:
    results, added = row.checked, 1 if row.typed else 0
    return DryRun(
        columns=list_read_columns(row),
        unread_columns=[name for name, target in zip(row.header, row.mapping, strict=False) if not target],
        counts=read_counts(results),
        refused_by_reason=results.get("reasons", {}),
        noted=results.get("noted", 0),
        notes=[
            LineNote(line=line - added, note=str(note), lines=lines)
            for line, note, lines in sorted(iter_stored_notes(results))
        ],
        refused=[RefusedInDryRun(line=line - added, why=str(why)) for line, why in results.get("refusals", [])],
    )
