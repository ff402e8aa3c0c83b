"""Read all pages of an interface. A page that fails loses nothing that was read, and no event is missing because of it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus

from newsletter.common.messages import Message
from newsletter.content.fetching.credentials import Credential, get_origin
from newsletter.content.fetching.errors import BadStatus, FetchError, Refused
from newsletter.content.fetching.fetcher import FEED, Fetched, Fetcher
from newsletter.content.parsing.apis.answers import ENTRIES, INSTEAD, NEXT, TOTAL
from newsletter.content.parsing.apis.drupal import INCLUDE
from newsletter.content.parsing.apis.kinds import ApiKind
from newsletter.content.parsing.entries import Parsed, SetAside
from newsletter.content.parsing.sandbox.process import ParserCrashed, ResourceLimitExceeded

Fetch = Callable[[str], Fetched]
Parse = Callable[[Fetched], Parsed]
_REFUSALS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class KeyRefused(FetchError):
    """The interface does not accept the key, or asks for one."""


@dataclass(frozen=True)
class ApiReading:
    """The entries of all pages. ``retry_after`` are the seconds that the interface asks us to wait, or None."""

    parsed: Parsed
    retry_after: int | None = None


@dataclass
class _Pages:
    """The pages read so far."""

    parsed: Parsed
    totals: set[str] = field(default_factory=set)
    entries: int = 0

    def add(self, page: Parsed) -> None:
        earlier = self.parsed
        self.parsed = replace(
            earlier,
            stories=tuple({story.external_id: story for story in (*earlier.stories, *page.stories)}.values()),
            events=tuple({event.external_id: event for event in (*earlier.events, *page.events)}.values()),
            set_aside=(*earlier.set_aside, *page.set_aside),
            private=(*earlier.private, *page.private),
            listed=earlier.listed + page.listed,
            complete_until=earlier.complete_until or page.complete_until,
        )
        self.count(page)

    def count(self, page: Parsed) -> None:
        self.totals.add(page.extra.get(TOTAL, ""))
        self.entries += int(page.extra.get(ENTRIES, "0"))

    def stop(self, what: Message, reason: str, *, now: datetime) -> Parsed:
        """Return the entries that were read, with the reason why they are not complete. Its missing events are not judged."""
        aside = SetAside(what, reason)
        return replace(self.parsed, set_aside=(*self.parsed.set_aside, aside), complete_until=now)

    def is_unchanged(self) -> bool:
        """Return True if the list did not change while it was read, as far as the interface counts it."""
        return self.totals in (set(), {""}, {str(self.entries)})


def read_api(kind: ApiKind, address: str, *, key: str, fetcher: Fetcher, parse: Parse, now: datetime) -> ApiReading:
    """Return the entries of all pages. Raises FetchError, ResourceLimitExceeded or ParserCrashed for the first page."""
    url = kind.list_url(address, now)
    credential = kind.make_credential(key) if kind.make_credential is not None and key else Credential()
    if kind.needs_key and not key:
        raise KeyRefused(
            "%(name)s asks for a key, and this source has none. Add the key on the page of the source.", name=kind.name
        )

    def fetch(page_url: str) -> Fetched:
        if get_origin(page_url) != get_origin(url):
            raise Refused("The next page is at another site, so it was not read.")
        return fetcher.fetch(page_url, limits=FEED, accept=kind.accept, credential=credential)

    first = _read_first_page(url, kind, fetch=fetch, parse=parse, has_key=bool(key))
    if first.error:
        return ApiReading(first)
    return _read_further_pages(first, url, kind, fetch=fetch, parse=parse, now=now)


def _read_first_page(url: str, kind: ApiKind, *, fetch: Fetch, parse: Parse, has_key: bool) -> Parsed:
    """Return the first page of entries. An answer that only leads to it, such as a list of organisations, is followed."""
    try:
        first = parse(fetch(url))
        if following := first.extra.get(INSTEAD, ""):
            leading, first = first, parse(fetch(following))
            first = replace(first, set_aside=(*leading.set_aside, *first.set_aside))
    except BadStatus as error:
        raise _explain_refusal(error, kind, has_key=has_key) or error from error
    return first if first.error else _include_references(first, fetch=fetch, parse=parse)


def _read_further_pages(
    first: Parsed, url: str, kind: ApiKind, *, fetch: Fetch, parse: Parse, now: datetime
) -> ApiReading:
    """Return the entries of all pages. Stop at a page that cannot be read, and say why entries are missing."""
    pages = _Pages(replace(first, extra={}))
    pages.count(first)
    following = _find_next(first, kind, now=now)
    seen = {url}
    for number in range(2, kind.max_pages + 1):
        if not following or following in seen:
            break
        seen.add(following)
        page_label = Message("Page %(page)s of %(name)s", page=number, name=kind.name)
        try:
            page = parse(fetch(following))
        except (FetchError, ResourceLimitExceeded, ParserCrashed) as error:
            wait = error.retry_after if isinstance(error, BadStatus) else None
            return ApiReading(pages.stop(page_label, error.message, now=now), retry_after=wait)
        if page.error:
            return ApiReading(pages.stop(page_label, page.error, now=now))
        page = _include_references(page, fetch=fetch, parse=parse)
        pages.add(page)
        following = _find_next(page, kind, now=now)
    if following:
        reason = Message("Only the first %(limit)s pages are read, or the list repeats itself.", limit=len(seen))
        return ApiReading(pages.stop(Message("More entries of %(name)s", name=kind.name), reason, now=now))
    if not pages.is_unchanged():
        reason = Message("The list changed while it was read. What is missing is judged at the next reading.")
        return ApiReading(pages.stop(Message("The list of %(name)s", name=kind.name), reason, now=now))
    return ApiReading(_refuse_unreadable(pages.parsed, kind))


def _find_next(page: Parsed, kind: ApiKind, *, now: datetime) -> str:
    """Return the address of the next page, or "" after the last one and after the newest stories."""
    dates = [story.published_at for story in page.stories if story.published_at is not None]
    old = kind.period is not None and bool(dates) and min(dates) < now - kind.period
    return "" if old else page.extra.get(NEXT, "")


def _include_references(page: Parsed, *, fetch: Fetch, parse: Parse) -> Parsed:
    """Return the page again with its images and terms. If they cannot be read, return it without them."""
    address = page.extra.get(INCLUDE, "")
    if not address:
        return page
    try:
        complete = parse(fetch(address))
    except (FetchError, ResourceLimitExceeded, ParserCrashed):
        return page
    return page if complete.error else complete


def _refuse_unreadable(parsed: Parsed, kind: ApiKind) -> Parsed:
    """Return an error if there are entries and none can be read: then the interface changed, not the entries."""
    if not parsed.listed or parsed.stories or parsed.events:
        return parsed
    reason = parsed.set_aside[0].reason if parsed.set_aside else ""
    return Parsed(
        error=Message(
            "No entry of %(name)s can be read (%(listed)s in all), so nothing was changed. The first one: %(reason)s",
            name=kind.name,
            listed=parsed.listed,
            reason=reason,
        )
    )


def _explain_refusal(error: BadStatus, kind: ApiKind, *, has_key: bool) -> KeyRefused | None:
    if error.status not in _REFUSALS or kind.make_credential is None:
        return None
    if has_key:
        return KeyRefused(
            "%(name)s does not accept the key (status %(status)s). It may be mistyped, or no longer be valid. Copy it again.",
            name=kind.name,
            status=error.status,
        )
    return KeyRefused(
        "%(name)s asks for a key (status %(status)s). Add the key on the page of the source.",
        name=kind.name,
        status=error.status,
    )
