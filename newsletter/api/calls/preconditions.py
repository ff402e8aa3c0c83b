"""ETag and If-Match: a change is refused if the thing was changed since the caller read it."""

import hashlib

from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_etags
from pydantic import BaseModel

from newsletter.api.calls.problems import Problem
from newsletter.api.calls.renderer import Renderer


def add_etag(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Return a successful GET with its ETag, or 304 without a body if the caller has it already."""
    if response.status_code != 200:
        return response
    etag = _make_etag(response.content)
    if etag in parse_etags(request.headers.get("If-None-Match", "")):
        response = HttpResponse(status=304)
        response["Cache-Control"] = "no-store"
    response["ETag"] = etag
    return response


def check_unchanged(request: HttpRequest, document: BaseModel) -> None:
    """Raise Problem if the call has an `If-Match` that is not the ETag of this document, which a GET would return now.

    Call it in the transaction of the change, with the row locked.
    """
    if_match = request.headers.get("If-Match")
    if if_match is None or if_match.strip() == "*":
        return
    content = Renderer().render(request, document.model_dump(), response_status=200)
    if _make_etag(content) not in parse_etags(if_match):
        raise Problem(
            412,
            "It was changed since you read it",
            "Nothing was changed. Read it again, and send your change with the new ETag.",
            code="changed_meanwhile",
        )


def _make_etag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'
