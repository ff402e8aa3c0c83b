"""Read a provider's own suppression list, page by page. Lists are read and never written, and no page is retried."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable
from urllib.parse import parse_qs, urlencode, urlsplit

from newsletter.common.messages import Message, Quantity
from newsletter.providers.base.contract import HttpCaller, HttpRequest
from newsletter.providers.base.errors import SuppressionListError, TransportError
from newsletter.providers.base.json_values import Row, as_mapping, as_text, parse_json_or_none
from newsletter.providers.base.responses import mask_provider_text, quote_provider
from newsletter.providers.base.webhooks.bounces import classify_bounce
from newsletter.providers.base.webhooks.events import BounceClass, FeedbackKind

MAX_PAGES = 2000

# From a page's JSON, its URL and its number of rows to the URL of the next page, or "".
FindNext = Callable[[object, str, int], str]


@dataclass(frozen=True)
class SuppressedAddress:
    """One address on a provider's list. ``kind`` is bounced (permanently), complained or unsubscribed."""

    address: str
    kind: FeedbackKind
    at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True)
class Page:
    """One page of a list. ``next_url`` is "" on the last page."""

    suppressed: list[SuppressedAddress]
    next_url: str = ""


def _no_next_page(parsed: object, url: str, rows: int) -> str:
    return ""


@dataclass(frozen=True)
class SuppressionListQuery:
    """The first page of a list, and how to read each page.

    ``rows`` is the JSON key of a page's rows, "" if the page is the list itself. ``parse_row`` returns None for a row
    that suppresses nobody. ``missing_is_empty``: a page without that key is an empty one.
    """

    first_url: str
    parse_row: Callable[[Row], SuppressedAddress | None]
    rows: str = ""
    find_next: FindNext = _no_next_page
    missing_is_empty: bool = False

    def read_page(self, parsed: object, url: str) -> Page | None:
        """Return a page from its JSON, without rows that cannot be read; None if it is not a list."""
        page_rows = parsed
        if self.rows and isinstance(parsed, dict):
            page_rows = parsed.get(self.rows, [] if self.missing_is_empty else None)
        if not isinstance(page_rows, list):
            return None
        suppressed = [self.parse_row(row) for row in page_rows if isinstance(row, Mapping)]
        return Page(
            [row for row in suppressed if row is not None and "@" in row.address],
            self.find_next(parsed, url, len(page_rows)),
        )


@runtime_checkable
class SuppressionLister(Protocol):
    """An adapter whose provider shows its suppression list."""

    def list_suppressed(self, *, since: datetime | None) -> Iterator[list[SuppressedAddress]]:
        """Return the list page by page, from ``since`` (aware) on if the provider can filter; None is all of it.

        Raise SuppressionListError if a page could not be read; the pages before it are valid.
        """


def read_pages(
    query: SuppressionListQuery,
    *,
    request: Callable[[str], HttpRequest],
    transport: HttpCaller,
    provider: str,
    secrets: tuple[str, ...],
) -> Iterator[list[SuppressedAddress]]:
    """Return the pages of one list. Raise SuppressionListError, which names neither our key nor a recipient."""
    url = query.first_url
    for _ in range(MAX_PAGES):
        page = _fetch_page(url, query, request=request, transport=transport, provider=provider, secrets=secrets)
        yield page.suppressed
        if not page.next_url or page.next_url == url:
            return
        url = page.next_url
    raise SuppressionListError(
        "%(provider)s’s suppression list has more than %(max_pages)s pages; the rest was not read.",
        provider=provider,
        max_pages=Quantity(MAX_PAGES),
    )


def make_suppressed(
    address: object, kind: FeedbackKind | None, *, at: datetime | None, reason: str = ""
) -> SuppressedAddress | None:
    """Return a row's address; None for an unknown kind, or a bounce whose reason is about the sender."""
    is_permanent = kind is not FeedbackKind.BOUNCED or not reason or classify_bounce(reason) is BounceClass.HARD
    if kind is None or not is_permanent:
        return None
    return SuppressedAddress(as_text(address, max_length=254), kind, at, as_text(reason, max_length=200))


def find_next_offset(parsed: object, url: str, rows: int) -> str:
    """Return the next page of a list with ``limit`` and ``offset``, unless this page is not full."""
    query = parse_query(url)
    return replace_query(url, offset=str(int(query["offset"]) + rows)) if rows >= int(query["limit"]) else ""


def parse_query(url: str) -> dict[str, str]:
    """Return the query of a URL, the first value of each name."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def replace_query(url: str, **changes: str) -> str:
    """Return the URL with some values of its query changed or added."""
    return f"{url.partition('?')[0]}?{urlencode({**parse_query(url), **changes})}"


def _fetch_page(
    url: str,
    query: SuppressionListQuery,
    *,
    request: Callable[[str], HttpRequest],
    transport: HttpCaller,
    provider: str,
    secrets: tuple[str, ...],
) -> Page:
    try:
        answer = transport.call(request(url))
    except TransportError as error:
        raise SuppressionListError(
            "%(provider)s could not be asked for its suppression list. %(error)s", provider=provider, error=error
        ) from error
    parsed = parse_json_or_none(answer.body) if answer.complete else None
    page = query.read_page(parsed, url) if answer.status == 200 else None
    if page is None:
        row = as_mapping(parsed)
        message = mask_provider_text(str(row.get("message") or row.get("Message") or ""), secrets=secrets)
        why = Message(
            "%(provider)s was asked for its suppression list and gave no usable list (answer %(status)s).",
            provider=provider,
            status=answer.status,
        )
        raise SuppressionListError(quote_provider(why, message))
    return page
