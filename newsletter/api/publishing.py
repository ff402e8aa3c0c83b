"""Calls about publications, issues and receipts: the same facts as `newsletter status --json`."""

from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router
from pydantic import Field

from newsletter.api.access import Key
from newsletter.api.shapes import Asked
from newsletter.issues.find import find_issue, find_publication
from newsletter.issues.overview import list_issues, list_publications
from newsletter.sending.receipt import status_of

router = Router(auth=Key("read"), tags=["publishing"])
MOST_ISSUES = 100


@router.get("publications", response=dict[str, list[dict[str, Any]]], summary="List publications")
def publications(request: HttpRequest) -> dict[str, Any]:
    """Each with its schedule in words and its next slot."""
    return {"publications": list_publications(now=timezone.now())}


@router.get("issues", response=dict[str, list[dict[str, Any]]], summary="List issues")
def issues(
    request: HttpRequest, publication: Asked = "", most: Annotated[int, Field(ge=1, le=MOST_ISSUES)] = 20
) -> dict[str, Any]:
    """The newest first, of all publications or of one."""
    only = find_publication(publication) if publication else None
    return {"issues": list_issues(now=timezone.now(), publication=only, most=most)}


@router.get("issues/{int:issue}/receipt", response=dict[str, Any], summary="Receipt of an issue, by id")
def receipt(request: HttpRequest, issue: int) -> dict[str, Any]:
    """What became of every person of the audience, in numbers."""
    return status_of(find_issue(str(issue)))


@router.get("issues/{slug:publication}/{slug:number}/receipt", response=dict[str, Any], summary="Receipt of an issue")
def named_receipt(request: HttpRequest, publication: str, number: str) -> dict[str, Any]:
    """By publication and number; `latest` is the newest, `digest-3` a digest."""
    return status_of(find_issue(f"{publication}/{number}"))
