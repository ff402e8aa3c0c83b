"""API calls about publications, issues and receipts, with the data of `newsletter status --json`."""

from typing import Annotated

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router
from pydantic import Field

from newsletter.api.access import ApiKeyAuth
from newsletter.api.schemas import QueryText
from newsletter.issues.archive.public_view import make_public_subject
from newsletter.issues.assembly.lookup import find_issue, find_publication
from newsletter.issues.assembly.overview import list_issues, list_publications
from newsletter.models import Issue
from newsletter.sending.settling.receipt import status_of

router = Router(auth=ApiKeyAuth("read"), tags=["publishing"])
MAX_ISSUES = 100


@router.get("publications", response=dict[str, list[dict[str, object]]], summary="List publications")
def publications(request: HttpRequest) -> dict[str, object]:
    """Return all publications, each with its schedule in words and its next slot."""
    return {"publications": list_publications(now=timezone.now())}


@router.get("issues", response=dict[str, list[dict[str, object]]], summary="List issues")
def issues(
    request: HttpRequest, publication: QueryText = "", most: Annotated[int, Field(ge=1, le=MAX_ISSUES)] = 20
) -> dict[str, object]:
    """Return issues of one publication or all, the newest first, without the notes of staff."""
    only = find_publication(publication) if publication else None
    now = timezone.now()
    rows = list_issues(now=now, publication=only, limit=most)
    found = Issue.objects.in_bulk([row["id"] for row in rows])
    return {
        "issues": [
            {
                **row,
                "subject": make_public_subject(found[row["id"]], at=now),
                "reason": row["reason"] if row["overdue"] else "",
            }
            for row in rows
        ]
    }


@router.get("issues/{int:issue}/receipt", response=dict[str, object], summary="Receipt of an issue, by id")
def receipt(request: HttpRequest, issue: int) -> dict[str, object]:
    """Return the delivery numbers of an issue."""
    return _receipt(find_issue(str(issue)))


@router.get(
    "issues/{slug:publication}/{slug:number}/receipt", response=dict[str, object], summary="Receipt of an issue"
)
def named_receipt(request: HttpRequest, publication: str, number: str) -> dict[str, object]:
    """Return the delivery numbers of an issue by publication and number. `latest` is the newest, `digest-3` a digest."""
    return _receipt(find_issue(f"{publication}/{number}"))


def _receipt(issue: Issue) -> dict[str, object]:
    """Return the receipt without the notes of staff, and with the subject only if it is public."""
    status = status_of(issue)
    send = status["send"] and {**status["send"], "reason": ""}
    return {**status, "send": send, "subject": make_public_subject(issue, at=timezone.now())}
