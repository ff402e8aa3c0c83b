"""Read the events of a web site, by the REST interface of The Events Calendar if it has one, else from the page."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from newsletter.common.messages import Message
from newsletter.content.fetching.errors import FetchError
from newsletter.content.fetching.fetcher import FEED, PAGE, Fetched, Fetcher
from newsletter.content.fetching.robots import Robots
from newsletter.content.parsing.documents import CALENDAR_AHEAD
from newsletter.content.parsing.entries import EventEntry, Parsed, SetAside
from newsletter.content.parsing.pages.rest_links import (
    EVENTS_LINK,
    TRIBE_ROUTE,
    WORDPRESS_LINK,
    is_tribe_address,
    make_route_url,
)
from newsletter.content.parsing.pages.the_events_calendar import tribe_url
from newsletter.content.parsing.sandbox.process import ParserCrashed, ResourceLimitExceeded

MAX_PAGES = 8
_JSON = "application/json, */*;q=0.1"
Parse = Callable[[str, Fetched, datetime], Parsed]


def read_events(
    url: str, *, etag: str, last_modified: str, fetcher: Fetcher, robots: Robots, parse: Parse, now: datetime
) -> tuple[Parsed, Fetched | None]:
    """Return the events and their page, or None for the page if they come from the interface. Raises FetchError.

    ``etag`` and ``last_modified`` are those of the page, if the page was used before.
    """
    if is_tribe_address(url):
        return _read_tribe(url, fetcher=fetcher, parse=parse, now=now), None
    robots.check(url, fetcher=fetcher, now=now)
    page = fetcher.fetch(url, etag=etag, last_modified=last_modified, limits=PAGE)
    if page.not_modified:
        return Parsed(), page
    if page.url != url:
        robots.check(page.url, fetcher=fetcher, now=now)
    parsed = parse("events", page, now)
    rest = parsed.extra.get(EVENTS_LINK) or (
        _guess_events_url(parsed.extra.get(WORDPRESS_LINK, "")) if parsed.error else ""
    )
    if rest:
        try:
            found = _read_tribe(rest, fetcher=fetcher, parse=parse, now=now)
        except (FetchError, ResourceLimitExceeded, ParserCrashed):
            found = Parsed(error="closed")
        if not found.error:
            return found, None
        # Use what the page itself shows. It says nothing about what it leaves out.
        return replace(parsed, complete_until=now), replace(page, etag="", last_modified="")
    return parsed, page


def _guess_events_url(wordpress: str) -> str:
    return make_route_url(wordpress, TRIBE_ROUTE) if wordpress else ""


def _read_tribe(rest: str, *, fetcher: Fetcher, parse: Parse, now: datetime) -> Parsed:
    """Return the events of all pages. A later page that fails is set aside, and events after it are not judged."""
    start, end = (now - timedelta(days=1)).date(), (now + CALENDAR_AHEAD).date()

    def page(number: int) -> Parsed:
        address = tribe_url(rest, page=number, start=start, end=end)
        return parse("tribe_events", fetcher.fetch(address, limits=FEED, accept=_JSON), now)

    parsed = page(1)
    pages = int(parsed.extra.get("pages", "1"))
    for number in range(2, min(pages, MAX_PAGES) + 1):
        try:
            more = page(number)
            missing = more.error
        except (FetchError, ResourceLimitExceeded, ParserCrashed) as error:
            more, missing = Parsed(), error.message
        if missing:
            return _incomplete(parsed, SetAside(Message("Page %(number)s of the events", number=number), missing), now)
        parsed = replace(
            parsed,
            events=_deduplicate((*parsed.events, *more.events)),
            set_aside=(*parsed.set_aside, *more.set_aside),
            private=(*parsed.private, *more.private),
            listed=parsed.listed + more.listed,
            series=(*parsed.series, *more.series),
        )
    if pages > MAX_PAGES:
        aside = SetAside(
            Message("More events"),
            Message("Only the first %(limit)s pages of the events are read.", limit=MAX_PAGES),
        )
        return _incomplete(parsed, aside, now)
    return parsed


def _deduplicate(events: tuple[EventEntry, ...]) -> tuple[EventEntry, ...]:
    return tuple({event.external_id: event for event in events}.values())


def _incomplete(parsed: Parsed, aside: SetAside, now: datetime) -> Parsed:
    last = max((event.starts_at for event in parsed.events), default=now)
    return replace(parsed, set_aside=(*parsed.set_aside, aside), complete_until=last)
