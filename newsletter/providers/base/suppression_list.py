"""Reading a provider's own list of addresses that it mails no more, page by page: one question, one answer, no retry.

A list is read, never written: what is barred here is our own affair, and theirs is taken in beside it (S1, W8).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from newsletter.common.messages import Message, Quantity
from newsletter.providers.base.answers import quote, read_json
from newsletter.providers.base.attempt import Caller
from newsletter.providers.base.contract import HttpRequest
from newsletter.providers.base.errors import CannotList, TransportError
from newsletter.providers.base.webhooks.events import FeedbackKind

MOST_PAGES = 2000


@dataclass(frozen=True)
class Barred:
    """One address on a provider's list. ``kind`` is bounced (for good), complained or unsubscribed."""

    address: str
    kind: FeedbackKind
    at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True)
class Page:
    """One page of a list, and the address of the next one, or nothing."""

    barred: list[Barred]
    next: str = ""


@dataclass(frozen=True)
class Question:
    """Where a list begins, and how a page of it is read: its JSON, and the address that it came from."""

    first: str
    read: Callable[[object, str], Page | None]


@runtime_checkable
class Lister(Protocol):
    """An adapter whose provider shows whom it mails no more."""

    def list_barred(self, *, since: datetime | None) -> Iterator[list[Barred]]:
        """Give the list a page at a time, from ``since`` (aware) on where the provider can tell; None is all of it.

        Raises CannotList where a page could not be had; the pages before it are good.
        """


def read_pages(
    question: Question,
    *,
    request: Callable[[str], HttpRequest],
    transport: Caller,
    provider: str,
    secrets: tuple[str, ...],
) -> Iterator[list[Barred]]:
    """Give the pages of one list. Raises CannotList, which names no key and no reader."""
    url = question.first
    for _ in range(MOST_PAGES):
        page = _ask(url, question, request=request, transport=transport, provider=provider, secrets=secrets)
        yield page.barred
        if not page.next or page.next == url:
            return
        url = page.next
    raise CannotList(
        "%(provider)s's list has more than %(most_pages)s pages; the rest was not read.",
        provider=provider,
        most_pages=Quantity(MOST_PAGES),
    )


def _ask(
    url: str,
    question: Question,
    *,
    request: Callable[[str], HttpRequest],
    transport: Caller,
    provider: str,
    secrets: tuple[str, ...],
) -> Page:
    try:
        answer = transport.call(request(url))
    except TransportError as error:
        raise CannotList(
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
        raise CannotList(Message('%(why)s It said: "%(said)s"', why=why, said=words) if words else why)
    return page
