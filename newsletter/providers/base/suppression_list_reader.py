"""Reading a provider's own list of addresses that it mails no more, page by page: one question, one answer, no retry.

A list is read, never written: what is suppressed here is our own affair, and theirs is taken in beside it (S1, W8).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from newsletter.common.messages import Message, Quantity
from newsletter.providers.base.attempt import HttpCaller
from newsletter.providers.base.contract import HttpRequest
from newsletter.providers.base.errors import SuppressionListError, TransportError
from newsletter.providers.base.responses import quote, read_json
from newsletter.providers.base.webhooks.events import FeedbackKind

MAX_PAGES = 2000


@dataclass(frozen=True)
class SuppressedAddress:
    """One address on a provider's list. ``kind`` is bounced (for good), complained or unsubscribed."""

    address: str
    kind: FeedbackKind
    at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True)
class Page:
    """One page of a list, and the address of the next one, or nothing."""

    suppressed: list[SuppressedAddress]
    next: str = ""


@dataclass(frozen=True)
class SuppressionListQuery:
    """Where a list begins, and how a page of it is read: its JSON, and the address that it came from."""

    first: str
    read: Callable[[object, str], Page | None]


@runtime_checkable
class SuppressionLister(Protocol):
    """An adapter whose provider shows whom it mails no more."""

    def list_suppressed(self, *, since: datetime | None) -> Iterator[list[SuppressedAddress]]:
        """Give the list a page at a time, from ``since`` (aware) on where the provider can tell; None is all of it.

        Raises SuppressionListError where a page could not be had; the pages before it are good.
        """


def read_pages(
    question: SuppressionListQuery,
    *,
    request: Callable[[str], HttpRequest],
    transport: HttpCaller,
    provider: str,
    secrets: tuple[str, ...],
) -> Iterator[list[SuppressedAddress]]:
    """Give the pages of one list. Raises SuppressionListError, which names no key and no reader."""
    url = question.first
    for _ in range(MAX_PAGES):
        page = _ask(url, question, request=request, transport=transport, provider=provider, secrets=secrets)
        yield page.suppressed
        if not page.next or page.next == url:
            return
        url = page.next
    raise SuppressionListError(
        "%(provider)s's list has more than %(most_pages)s pages; the rest was not read.",
        provider=provider,
        most_pages=Quantity(MAX_PAGES),
    )


def _ask(
    url: str,
    question: SuppressionListQuery,
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
            "%(provider)s could not be asked whom it mails no more. %(error)s", provider=provider, error=error
        ) from error
    parsed = read_json(answer.body) if answer.complete else None
    page = question.read(parsed, url) if answer.status == 200 else None
    if page is None:
        said = parsed.get("message") or parsed.get("Message") or "" if isinstance(parsed, dict) else ""
        words = quote(str(said), secrets=secrets)
        why = Message(
            "%(provider)s was asked whom it mails no more and gave no usable list (answer %(status)s).",
            provider=provider,
            status=answer.status,
        )
        raise SuppressionListError(Message('%(why)s It said: "%(said)s"', why=why, said=words) if words else why)
    return page
