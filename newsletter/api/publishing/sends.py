"""API calls about sends: progress, report, pause. Starting, resuming and cancelling a send are for people."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Router
from wagtail.log_actions import log

from newsletter.api.calls.access import ApiKeyAuth, get_key, label_caller
from newsletter.api.calls.pages import Page, PageParams, read_page, read_prepared_page
from newsletter.api.publishing.key_scope import list_visible_publications
from newsletter.api.publishing.schemas import (
    DayAnswer,
    GiftsAnswer,
    LinkAnswer,
    Pause,
    ReportAnswer,
    SendAnswer,
    SendProgress,
)
from newsletter.common.database.prepared_rows import PreparedIds, PreparedRows
from newsletter.common.errors import NotFound
from newsletter.feedback.report import make_report
from newsletter.models import ApiKey, ApiScope, Send
from newsletter.models.issues import format_reference
from newsletter.sending.settling.receipt import make_receipt
from newsletter.sending.settling.send_controls import pause_send

router = Router(tags=["sends"])
_SHOWN = (
    *("pk", "issue_id", "issue__publication__slug", "issue__kind", "issue__number"),
    *("state", "code", "provider", "recipients", "made_at", "started_at", "ended_at"),
)
_EVERY_SEND = PreparedIds(lambda: Send.objects.values_list("pk"), newest_first=True)
_SENDS = PreparedRows(lambda ids: Send.objects.filter(pk__in=ids).order_by("-pk").values_list(*_SHOWN))
READING, WRITING = ApiKeyAuth(ApiScope.SENDS_READ), ApiKeyAuth(ApiScope.SENDS_WRITE)


@router.get("sends", auth=READING, response=Page[SendAnswer], summary="List sends")
def all_sends(request: HttpRequest, page: PageParams) -> dict[str, object]:
    """Return the sends, the newest first."""
    key = get_key(request)
    if key.all_lists:
        ids, following = read_prepared_page(request, _EVERY_SEND, page)
    else:
        ids, following = read_page(request, _list_visible(key).values_list("pk", flat=True), page, newest_first=True)
    return {"items": [_show_columns(row) for row in _SENDS.read(ids)], "next": following}


@router.get("sends/{int:send}", auth=READING, response=SendProgress, summary="Read the progress of a send")
def read_send(request: HttpRequest, send: int) -> SendProgress:
    """Return the state of a send and its receipt so far. The reasons that staff wrote are not shown."""
    return _show_progress(_find(get_key(request), send))


@router.get("sends/{int:send}/report", auth=READING, response=ReportAnswer, summary="Read the report of a send")
def read_report(request: HttpRequest, send: int) -> ReportAnswer:
    """Return clicks, joins, unsubscribes and gifts of a send in numbers."""
    row = _find(get_key(request), send)
    report = make_report(row)
    return ReportAnswer(
        send=_show_progress(row),
        clicks=report.figures.clicks,
        machines=report.figures.machines,
        joined=report.list_change.joined,
        ended=report.list_change.ended,
        days=[DayAnswer(day=day, people=people) for day, people in report.days],
        links=[LinkAnswer(url=one.url, people=one.people, machines=one.machines) for one in report.links],
        gifts=[
            GiftsAnswer(currency=one.currency, gifts=one.gifts, amount=one.amount)
            for one in report.gifts
            if not one.block
        ],
    )


@router.post("sends/{int:send}/pause", auth=WRITING, response=SendProgress, summary="Pause a send")
@transaction.atomic
def pause(request: HttpRequest, send: int, data: Pause) -> SendProgress:
    """Stop making new calls to the provider; running calls are finished. Only staff resume or cancel it."""
    key = get_key(request)
    row = _find(key, send)
    pause_send(send=row, by=label_caller(key), reason=data.reason)
    log(instance=row.issue, action="newsletter.pause", data={"key": key.name, "key_id": key.pk, "send": row.pk})
    row.refresh_from_db()
    return _show_progress(row)


def _list_visible(key: ApiKey) -> QuerySet[Send]:
    sends = Send.objects.select_related("issue__publication")
    return sends if key.all_lists else sends.filter(issue__publication__in=list_visible_publications(key))


def _find(key: ApiKey, pk: int) -> Send:
    row = _list_visible(key).filter(pk=pk).first() if pk < 2**63 else None
    if row is None:
        raise NotFound("No send has the id %(id)s.", id=pk)
    return row


def _show(row: Send) -> SendAnswer:
    issue = row.issue
    columns = (row.pk, row.issue_id, issue.publication.slug, issue.kind, issue.number)
    return _show_columns((*columns, *(getattr(row, name) for name in _SHOWN[len(columns) :])))


def _show_columns(columns: Sequence[Any]) -> SendAnswer:
    """Return a send by the columns of `_SHOWN`."""
    pk, issue, publication, kind, number, state, code, provider, recipients, made_at, started_at, ended_at = columns
    return SendAnswer(
        id=pk,
        issue_id=issue,
        issue=format_reference(publication=publication, kind=kind, number=number),
        state=state,
        code=code,
        provider=provider,
        recipients=recipients,
        made_at=made_at,
        started_at=started_at,
        ended_at=ended_at,
    )


def _show_progress(row: Send) -> SendProgress:
    return SendProgress.model_validate({**asdict(make_receipt(row)), **_show(row).model_dump()})
