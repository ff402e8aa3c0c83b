"""API calls about publications, issues and receipts, with the data of `newsletter status --json`."""

from typing import Annotated

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router
from pydantic import Field

from newsletter.api.calls.access import ApiKeyAuth, get_key
from newsletter.api.calls.fields import QueryText
from newsletter.api.publishing.key_scope import find_visible_issue, find_visible_publication, list_visible_publications
from newsletter.api.publishing.schemas import PublicationAnswer
from newsletter.issues.archive.public_view import make_public_subject
from newsletter.issues.assembly.overview import list_issues, list_publications
from newsletter.models import ApiScope, Issue, Publication
from newsletter.sending.settling.issue_status import status_of

router = Router(tags=["publishing"])
READING = ApiKeyAuth(ApiScope.READ, ApiScope.ISSUES_READ)
MAX_ISSUES = 100


@router.get("publications", auth=READING, response=dict[str, list[dict[str, object]]], summary="List publications")
def publications(request: HttpRequest) -> dict[str, object]:
    """Return all publications, each with its schedule in words and its next slot."""
    return {"publications": list_publications(list_visible_publications(get_key(request)), now=timezone.now())}


@router.get(
    "publications/{slug:publication}",
    auth=ApiKeyAuth(ApiScope.ISSUES_READ),
    response=PublicationAnswer,
    summary="Read a publication",
)
def publication(request: HttpRequest, publication: str) -> PublicationAnswer:
    """Return the rules of a publication. They are changed in the desk or by the organisation's file, by people."""
    return PublicationAnswer.model_validate(_describe(find_visible_publication(get_key(request), publication)))


@router.get("issues", auth=READING, response=dict[str, list[dict[str, object]]], summary="List issues")
def issues(
    request: HttpRequest, publication: QueryText = "", most: Annotated[int, Field(ge=1, le=MAX_ISSUES)] = 20
) -> dict[str, object]:
    """Return issues of one publication or all, the newest first, without the notes of staff."""
    key, now = get_key(request), timezone.now()
    only = find_visible_publication(key, publication) if publication else None
    among = None if key.all_lists else list_visible_publications(key)
    rows = list_issues(now=now, publication=only, among=among, limit=most)
    issues_by_id = Issue.objects.in_bulk([row["id"] for row in rows])
    return {
        "issues": [
            {
                **row,
                "subject": make_public_subject(issues_by_id[row["id"]], at=now),
                "reason": row["reason"] if row["overdue"] else "",
            }
            for row in rows
        ]
    }


@router.get(
    "issues/{int:issue}/receipt", auth=READING, response=dict[str, object], summary="Receipt of an issue, by id"
)
def receipt(request: HttpRequest, issue: int) -> dict[str, object]:
    """Return the delivery numbers of an issue."""
    return _receipt(find_visible_issue(get_key(request), str(issue)))


@router.get(
    "issues/{slug:publication}/{slug:number}/receipt",
    auth=READING,
    response=dict[str, object],
    summary="Receipt of an issue",
)
def named_receipt(request: HttpRequest, publication: str, number: str) -> dict[str, object]:
    """Return the delivery numbers of an issue by publication and number. `latest` is the newest, `digest-3` a digest."""
    return _receipt(find_visible_issue(get_key(request), f"{publication}/{number}"))


def _describe(row: Publication) -> dict[str, object]:
    fields = PublicationAnswer.model_fields.keys() - {"mailing_list", "segment", "topics", "sources"}
    return {
        **{name: getattr(row, name) for name in fields},
        "mailing_list": row.mailing_list.slug,
        "segment": row.segment.slug if row.segment else None,
        "topics": sorted(row.topics.values_list("slug", flat=True)),
        "sources": sorted(row.sources.values_list("pk", flat=True)),
    }


def _receipt(issue: Issue) -> dict[str, object]:
    """Return the receipt without the notes of staff, and with the subject only if it is public."""
    status = status_of(issue)
    send = status["send"] and {**status["send"], "reason": ""}
    return {**status, "send": send, "subject": make_public_subject(issue, at=timezone.now())}
