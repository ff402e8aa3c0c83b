"""API calls about imports: upload a file, follow it, read why lines were refused, undo it. The worker does the import.

What follows a dry run is in `dry_runs`.
"""

from collections.abc import Mapping
from contextlib import closing, nullcontext
from typing import Annotated, Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Status
from wagtail.log_actions import log

from newsletter.api.calls.access import ApiKeyAuth, get_key, label_caller, require_all_lists
from newsletter.api.calls.handle_call import repeats
from newsletter.api.calls.openapi import problem_answer
from newsletter.api.calls.pages import Page, PageParams, make_page
from newsletter.api.calls.problems import Problem
from newsletter.api.calls.uploads import get_upload
from newsletter.api.people.import_schemas import (
    ImportAnswer,
    ImportCounts,
    ImportToStart,
    RefusedImportLine,
    UndoneCounts,
)
from newsletter.api.people.key_scope import find_list, list_visible_lists
from newsletter.common.errors import NotFound
from newsletter.models import ApiKey, ApiScope
from subscribers.desk.imports.forms import CHARITY_DECLARATION
from subscribers.importing.reading.column_mapping import ATTRIBUTE, EACH_LIST, hide_choice
from subscribers.importing.reading.errors import CannotImport
from subscribers.importing.reading.export_formats import guess_columns
from subscribers.importing.reading.ndjson import convert_ndjson_to_csv
from subscribers.importing.writing.import_people import check_list, make_mapping
from subscribers.importing.writing.import_steps import ImportOptions, create_draft_import, set_import_terms
from subscribers.importing.writing.undo import count_undone, request_undo
from subscribers.models import Basis, ImportBatch, ImportKind, ImportRefusal, ImportState, MailingList
from subscribers.places.regions import resolve_country

router = Router(tags=["imports"])
IMPORTING = ApiKeyAuth(ApiScope.PEOPLE_WRITE)
_OF_ONE_LIST = (ImportKind.JOIN, ImportKind.LEFT_LIST)
_NDJSON = "application/x-ndjson"
_NDJSON_TYPES = (_NDJSON, "application/ndjson", "application/jsonl", "application/x-jsonlines", "application/jsonlines")
"""None is registered, so each program chooses one."""
_BODY = {
    "responses": {415: problem_answer(415)},
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {"schema": {"type": "string", "description": "The first line names the columns."}},
            _NDJSON: {"schema": {"type": "string", "description": "One JSON object a line."}},
        },
    },
}


@router.post(
    "imports", auth=IMPORTING, response={202: ImportAnswer}, summary="Import a file of people", openapi_extra=_BODY
)
@repeats(upload=True)
@transaction.atomic
def start_import(request: HttpRequest, data: Annotated[ImportToStart, Query()]) -> Status[ImportAnswer]:
    """Store a file of at most 200 MB (CSV, or NDJSON with that content type), and have it imported as the desk does.

    A JSON document or a form with the file is 415.

    Nobody who unsubscribed, complained or was erased is added. With `dry_run` nobody is added: the file is only checked.
    """
    key, now = get_key(request), timezone.now()
    _check_content_type(request)
    mailing_list = find_list(key, data.list)
    check_list(mailing_list)
    require_lists_of_kind(key, data.kind)
    batch = _store_file(request, key, mailing_list, data)
    set_import_terms(batch, terms=_make_options(batch, data), now=now, check=data.dry_run)
    action = "subscribers.import_terms" if data.dry_run else "subscribers.import"
    log_import(key, batch, action=action, kind=batch.kind, basis=batch.basis)
    return Status(202, show_import(batch))


@router.get("imports", auth=IMPORTING, response=Page[ImportAnswer], summary="List imports")
def all_imports(request: HttpRequest, page: PageParams) -> dict[str, object]:
    """Return the imports of this key, the newest first. People added by `people` and `people/bulk` are imports too."""
    return make_page(request, _list_own(get_key(request)), show_import, page, newest_first=True)


@router.get("imports/{int:batch}", auth=IMPORTING, response=ImportAnswer, summary="Follow an import")
def read_import(request: HttpRequest, batch: int) -> ImportAnswer:
    """Return the state of an import and its numbers so far."""
    return show_import(find_own_import(get_key(request), batch))


@router.get(
    "imports/{int:batch}/refused", auth=IMPORTING, response=Page[RefusedImportLine], summary="List refused lines"
)
def refused_lines(request: HttpRequest, batch: int, page: PageParams) -> dict[str, object]:
    """Return the refused lines by number, with the reason. They are kept for 7 days."""
    row = find_own_import(get_key(request), batch)
    added = 1 if row.typed else 0

    def show(refusal: ImportRefusal) -> RefusedImportLine:
        return RefusedImportLine(line=refusal.line - added, code=refusal.kind, why=str(refusal.reason))

    return make_page(request, row.refusals.all(), show, page)


@router.post("imports/{int:batch}/undo", auth=IMPORTING, response={202: ImportAnswer}, summary="Undo an import")
@transaction.atomic
def undo(request: HttpRequest, batch: int) -> Status[ImportAnswer]:
    """Remove the people whom an import of this key added. Those who were there before, or acted since, stay."""
    key = get_key(request)
    row = find_own_import(key, batch)
    try:
        request_undo(row, by=label_caller(key))
    except CannotImport as error:
        raise Problem(409, "This import cannot be undone", str(error), code="wrong_state") from error
    log_import(key, row, action="subscribers.import_undo")
    return Status(202, show_import(row))


def require_lists_of_kind(key: ApiKey, kind: str) -> None:
    """Raise Problem if the key is limited to lists and these people would be suppressed for all."""
    if kind not in _OF_ONE_LIST:
        require_all_lists(key, "These people are suppressed for every list.")


def find_own_import(key: ApiKey, pk: int, *, lock: bool = False) -> ImportBatch:
    """Return the import that this key made. Raise NotFound."""
    rows = _list_own(key)
    rows = rows.select_for_update(of=("self",)) if lock else rows
    row = rows.filter(pk=pk).first() if pk < 2**63 else None
    if row is None:
        raise NotFound("This key made no import with the id %(id)s.", id=pk)
    return row


def _check_content_type(request: HttpRequest) -> None:
    """Raise Problem if the body is one JSON document or a form. Many programs name no type of a CSV file, or a wrong one."""
    kind = str(request.content_type).lower()
    if kind in ("application/json", "text/json", "multipart/form-data") or kind.endswith("+json"):
        raise Problem(
            415,
            "The body is not a file of people",
            f"It has the content type {kind}, so nothing was read. Send the file itself as the body: CSV as text/csv, or one "
            f"JSON object a line as {_NDJSON}.",
            code="wrong_content_type",
        )


def _store_file(request: HttpRequest, key: ApiKey, mailing_list: MailingList, data: ImportToStart) -> ImportBatch:
    file, _ = get_upload(request)
    is_ndjson = str(request.content_type).lower() in _NDJSON_TYPES
    with closing(convert_ndjson_to_csv(file)) if is_ndjson else nullcontext(file) as source:
        return create_draft_import(
            file=source,
            name=data.file_name or label_caller(key),
            mailing_list=mailing_list,
            by=label_caller(key),
            by_key=key.pk,
            now=timezone.now(),
            typed=is_ndjson,
        )


def _make_options(batch: ImportBatch, data: ImportToStart) -> ImportOptions:
    """Return the decisions that a person takes in the desk. Raise Problem if one is missing."""
    mapping = make_mapping(batch.header, guess_columns(batch.header), dict(map(_read_column, data.column)))
    kind, basis = ImportKind(data.kind), Basis(data.basis or Basis.CONSENT)
    soft, implied = basis == Basis.SOFT_OPT_IN, basis == Basis.CASL_IMPLIED
    evidence = data.evidence.strip()
    if kind == ImportKind.JOIN:
        if data.basis is None or not evidence:
            raise _missing("basis and evidence", "Without them nobody is imported.")
        if soft and not data.charity:
            raise _missing("charity", str(CHARITY_DECLARATION))
        if soft and not data.collected_on and not {"asked_on", EACH_LIST} & set(mapping):
            raise _missing("collected_on", "Send it, or a column with the sign-up date.")
        if implied and not data.confirm and not data.expires_on and not {"expires_on", EACH_LIST} & set(mapping):
            raise _missing("expires_on", "Send it, or a column with the day on which the implied consent expires.")
    return ImportOptions(
        mapping=mapping,
        kind=kind,
        basis=basis,
        evidence=f"{evidence}\n{CHARITY_DECLARATION}" if soft else evidence,
        collected_on=data.collected_on if soft else None,
        expires_on=data.expires_on if implied else None,
        country=resolve_country(data.country) if data.country.strip() else "",
        confirm=data.confirm,
    )


def _read_column(text: str) -> tuple[str, str]:
    """Return name and field of `NAME:FIELD`. A name may hold colons."""
    name, colon, target = text.rpartition(":")
    if not colon:
        raise Problem(
            422, "A field is invalid", "Write each column as NAME:FIELD, such as Mail:email.", code="invalid_field"
        )
    own = ATTRIBUTE.removesuffix(":")
    if name.endswith(f":{own}"):
        return name.removesuffix(f":{own}"), f"{ATTRIBUTE}{target}"
    return name, target


def _missing(names: str, detail: str) -> Problem:
    return Problem(422, f"These people need {names}", detail, code="invalid_field")


def _list_own(key: ApiKey) -> QuerySet[ImportBatch]:
    rows = ImportBatch.objects.filter(by_key=key.pk).select_related("mailing_list")
    return rows if key.all_lists else rows.filter(mailing_list__in=list_visible_lists(key))


def show_import(row: ImportBatch) -> ImportAnswer:
    return ImportAnswer(
        id=row.pk,
        state=row.state,  # type: ignore[arg-type]  # a constraint names the states
        list=row.mailing_list.slug,
        kind=row.kind,  # type: ignore[arg-type]
        basis=row.basis if row.kind == ImportKind.JOIN else "",
        file_name=row.file_name,
        columns=list_read_columns(row),
        lines=max(row.lines - 1, 0),
        counts=read_counts(row.counts),
        checked=read_counts(row.checked) if row.checked else None,
        undone=UndoneCounts(**count_undone(row)) if row.state in (ImportState.UNDOING, ImportState.UNDONE) else None,
        problem=str(row.problem),
        started_at=row.started_at,
        finished_at=row.finished_at,
        undone_at=row.undone_at,
    )


def list_read_columns(row: ImportBatch) -> dict[str, str]:
    """Return the field of each column that is read."""
    return {name: hide_choice(target) for name, target in zip(row.header, row.mapping, strict=False) if target}


def read_counts(stored: Mapping[str, Any]) -> ImportCounts:
    return ImportCounts(**{name: int(stored.get(name, 0)) for name in ImportCounts.model_fields})


def log_import(key: ApiKey, batch: ImportBatch, *, action: str, **more: str) -> None:
    data = {"key": key.name, "key_id": key.pk, "import": batch.pk, "file": batch.file_name, **more}
    log(instance=batch, action=action, data=data)
