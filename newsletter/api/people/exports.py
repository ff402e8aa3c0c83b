"""API calls about exports: a key asks, a person allows it in the desk, and the key takes the file once."""

from datetime import datetime
from typing import Literal

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from ninja import Router, Status
from pydantic import BaseModel, Field
from wagtail.log_actions import log

from newsletter.api.calls.access import ApiKeyAuth, get_key, label_caller, require_all_lists
from newsletter.api.calls.fields import StoredRequestModel
from newsletter.api.calls.openapi import problem_answer
from newsletter.api.calls.pages import Page, PageParams, make_page
from newsletter.api.calls.problems import Problem
from newsletter.api.people.key_scope import find_list, list_visible_lists
from newsletter.common.errors import NotFound
from newsletter.models import ApiKey, ApiScope
from subscribers.desk.csv_response import stream_csv
from subscribers.exporting.csv_export import export_rows
from subscribers.exporting.export_requests import (
    CannotExport,
    KeyAsker,
    describe_export,
    find_export_state,
    request_export_by_key,
    take_export_by_key,
)
from subscribers.models import ExportRequest

router = Router(tags=["exports"])
EXPORTING = ApiKeyAuth(ApiScope.PEOPLE_EXPORT)
_CSV_ANSWER = {"description": "A CSV file", "content": {"text/csv": {"schema": {"type": "string"}}}}


class ExportToAsk(StoredRequestModel):
    list: str | None = Field(
        None,
        description="List's slug; null for everybody who can be emailed. A key limited to lists names one.",
        max_length=80,
    )
    reason: str = Field(
        description="Why the file is needed. The person who allows it reads this.",
        min_length=3,
        max_length=200,
        pattern=r"\S",
    )


class ExportAnswer(BaseModel):
    """An export that this key asked for. It is shown for 30 days."""

    id: int
    state: Literal["waiting", "allowed", "taken", "expired"] = Field(
        description="waiting: for a person, at most 7 days. allowed: can be taken once, until `expires_at`."
    )
    list: str | None
    reason: str
    people: int = Field(description="When it was asked for.")
    max_people: int = Field(description="The file holds no more. If the list has grown past it, ask again.")
    asked_at: datetime
    allowed_at: datetime | None
    expires_at: datetime | None
    taken_at: datetime | None


@router.post("exports", auth=EXPORTING, response={202: ExportAnswer}, summary="Ask for an export")
@transaction.atomic
def ask_for_export(request: HttpRequest, data: ExportToAsk) -> Status[ExportAnswer]:
    """Ask for a file of the people who can be emailed.

    A person who manages people, and who did not make this key, allows it in the desk.
    """
    key, now = get_key(request), timezone.now()
    if data.list is None:
        require_all_lists(key, "Without `list`, the file holds the people of every list.")
    mailing_list = None if data.list is None else find_list(key, data.list)
    row = request_export_by_key(key=_asker(key), mailing_list=mailing_list, reason=data.reason, now=now)
    _log(key, row, action="subscribers.export_asked")
    return Status(202, _show(row, now=now))


@router.get("exports", auth=EXPORTING, response=Page[ExportAnswer], summary="List exports")
def all_exports(request: HttpRequest, page: PageParams) -> dict[str, object]:
    """Return the exports that this key asked for in the last 30 days, the newest first."""
    now = timezone.now()
    return make_page(request, _list_own(get_key(request)), lambda row: _show(row, now=now), page, newest_first=True)


@router.get("exports/{int:export}", auth=EXPORTING, response=ExportAnswer, summary="Read the state of an export")
def read_export(request: HttpRequest, export: int) -> ExportAnswer:
    """Return whether a person has allowed it. Only the key that asked finds it."""
    return _show(_find(get_key(request), export), now=timezone.now())


@router.get(
    "exports/{int:export}/file",
    auth=EXPORTING,
    summary="Take the file of an export",
    openapi_extra={"responses": {200: _CSV_ANSWER, 409: problem_answer(409)}},
)
def take_file(request: HttpRequest, export: int) -> StreamingHttpResponse:
    """Return the allowed file as CSV, once. Its columns are those of an export in the desk, and it can be imported again."""
    key, now = get_key(request), timezone.now()
    row = _find(key, export)
    try:
        with transaction.atomic():
            take_export_by_key(request=row, key=_asker(key), now=now)
            _log(key, row, action="subscribers.export")
    except CannotExport as error:
        raise Problem(409, "This file cannot be taken", str(error), code="export_not_allowed") from error
    rows = export_rows(row.mailing_list, max_people=row.people_in_file, other_lists=key.all_lists)
    name = row.mailing_list.slug if row.mailing_list else "people"
    return stream_csv(rows, file_name=f"{name}-{timezone.localdate().isoformat()}.csv", with_bom=row.has_bom)


def _asker(key: ApiKey) -> KeyAsker:
    return KeyAsker(id=key.pk, label=label_caller(key), maker=key.made_by)


def _list_own(key: ApiKey) -> QuerySet[ExportRequest]:
    """Return what this key asked for, without lists that it may not use."""
    rows = ExportRequest.objects.filter(asked_by_key=key.pk).select_related("mailing_list")
    return rows if key.all_lists else rows.filter(mailing_list__in=list_visible_lists(key))


def _find(key: ApiKey, pk: int) -> ExportRequest:
    row = _list_own(key).filter(pk=pk).first() if pk < 2**63 else None
    if row is None:
        raise NotFound("This key asked for no export with the id %(id)s in the last 30 days.", id=pk)
    return row


def _show(row: ExportRequest, *, now: datetime) -> ExportAnswer:
    return ExportAnswer(
        id=row.pk,
        state=find_export_state(row, now=now).value,  # type: ignore[arg-type]  # its values are the four
        list=row.mailing_list.slug if row.mailing_list else None,
        reason=row.reason,
        people=row.people_when_asked,
        max_people=row.max_people,
        asked_at=row.asked_at,
        allowed_at=row.allowed_at,
        expires_at=row.expires_at,
        taken_at=row.used_at,
    )


def _log(key: ApiKey, row: ExportRequest, *, action: str) -> None:
    log(
        instance=row.mailing_list or key,
        action=action,
        data={"key": key.name, "key_id": key.pk, **describe_export(row)},
    )
