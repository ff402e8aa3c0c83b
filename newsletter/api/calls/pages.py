"""Pages of a list by cursor. A cursor works only for the list and the filter that it came from."""

import base64
import hashlib
from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from ninja import Query
from pydantic import BaseModel, Field

from newsletter.api.calls.problems import Problem
from newsletter.common.database.prepared_rows import PreparedIds

MAX_ITEMS = 200
_Row = TypeVar("_Row", bound=Model)
_Found = TypeVar("_Found")
Item = TypeVar("Item", bound=BaseModel)


class Page(BaseModel, Generic[Item]):
    items: list[Item]
    next: str | None = Field(description="Send it as `cursor` to read on. Null at the end.")


class PageQuery(BaseModel):
    limit: int = Field(50, ge=1, le=MAX_ITEMS, description="How many at most.")
    cursor: str = Field("", max_length=200, description="`next` of the page before, with the same filter.")


PageParams = Annotated[PageQuery, Query()]


def make_page(
    request: HttpRequest,
    rows: QuerySet[_Row],
    show: Callable[[_Row], Any],
    page: PageQuery,
    *,
    newest_first: bool = False,
) -> dict[str, object]:
    """Return one page of these rows in the order of their ids, each as `show` returns it."""
    page_rows, following = read_page(request, rows, page, newest_first=newest_first)
    return {"items": [show(row) for row in page_rows], "next": following}


def read_page(
    request: HttpRequest, rows: QuerySet[_Row, _Found], page: PageQuery, *, newest_first: bool = False
) -> tuple[list[_Found], str | None]:
    """Return the rows of one page, and the cursor of the next one. A row is a model or its id."""
    last = _read_cursor(request, page.cursor)
    if last is not None:
        rows = rows.filter(pk__lt=last) if newest_first else rows.filter(pk__gt=last)
    page_rows = list(rows.order_by("-pk" if newest_first else "pk")[: page.limit + 1])
    more = len(page_rows) > page.limit
    page_rows = page_rows[: page.limit]
    last_found = page_rows[-1] if more else None
    last_id = last_found.pk if isinstance(last_found, Model) else last_found
    return page_rows, _write_cursor(request, last_id) if isinstance(last_id, int) else None


def read_prepared_page(
    request: HttpRequest, rows: PreparedIds, page: PageQuery, *values: int
) -> tuple[list[int], str | None]:
    """Return the ids of one page, and the cursor of the next one, by a query that is compiled once."""
    page_rows = rows.read(*values, last=_read_cursor(request, page.cursor), limit=page.limit + 1)
    more = len(page_rows) > page.limit
    page_rows = page_rows[: page.limit]
    return page_rows, _write_cursor(request, page_rows[-1]) if more else None


def _write_cursor(request: HttpRequest, last: int) -> str:
    return base64.urlsafe_b64encode(f"{_fingerprint(request)}:{last}".encode()).decode().rstrip("=")


def _read_cursor(request: HttpRequest, cursor: str) -> int | None:
    """Return the id in a cursor, or None for the first page. Raise Problem for any other cursor."""
    if not cursor:
        return None
    try:
        text = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        fingerprint, _, last = text.decode("ascii").partition(":")
    except ValueError:
        fingerprint, last = "", ""
    if fingerprint != _fingerprint(request) or not (last.isdecimal() and int(last) < 2**63):
        raise Problem(
            422,
            "The cursor is not of this list",
            "Send `next` of the page before with the same address and filter, or leave `cursor` out to begin again.",
            code="foreign_cursor",
        )
    return int(last)


def _fingerprint(request: HttpRequest) -> str:
    """Return 16 characters that identify the list and its filter."""
    filters = sorted((name, value) for name, value in request.GET.items() if name not in ("cursor", "limit"))
    return hashlib.sha256(repr((request.path, filters)).encode()).hexdigest()[:16]
