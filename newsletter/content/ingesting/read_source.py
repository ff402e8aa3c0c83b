"""Fetch one source and parse its answer by its kind. It stores nothing."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus

from newsletter.common.messages import Message
from newsletter.content.fetching.errors import BadStatus, FetchError
from newsletter.content.fetching.fetcher import CALENDAR, FEED, PAGE, Fetched, Fetcher
from newsletter.content.fetching.robots import Robots
from newsletter.content.ingesting.apis.read_api import read_api
from newsletter.content.ingesting.read_events import read_events
from newsletter.content.ingesting.wordpress_listing import RestApiUnavailable, find_posts, use_post_id
from newsletter.content.parsing.apis.addresses import add_calendar_key
from newsletter.content.parsing.apis.kinds import API_KINDS
from newsletter.content.parsing.entries import Parsed, SetAside, StoryEntry
from newsletter.content.parsing.feeds.wordpress_addresses import feed_urls
from newsletter.content.parsing.feeds.wordpress_posts import total_pages
from newsletter.content.parsing.parse import Document
from newsletter.content.parsing.sandbox.process import ParserCrashed, ResourceLimitExceeded, parse_in_sandbox

MAX_WORDPRESS_PAGES = 5
WORDPRESS_PERIOD = timedelta(days=90)
# No wildcard: some calendar servers answer a wildcard with a page for people.
_ACCEPT = {"calendar": "text/calendar, text/plain;q=0.5"}
_ANYTHING = "*/*"
_LIMITS = {"feed": FEED, "calendar": CALENDAR}

robots = Robots()


@dataclass(frozen=True)
class Reading:
    """The answer of a source. ``unchanged`` means that nothing is new since the last reading.

    ``retry_after`` are the seconds that the source asks us to wait, if it gave only a part of its pages.
    """

    parsed: Parsed = field(default_factory=Parsed)
    unchanged: bool = False
    etag: str = ""
    last_modified: str = ""
    retry_after: int | None = None


def read_source(
    *, kind: str, url: str, etag: str, last_modified: str, fetcher: Fetcher, now: datetime, key: str = ""
) -> Reading:
    """Fetch and parse a source. Raises FetchError, ResourceLimitExceeded or ParserCrashed."""
    if kind in API_KINDS:
        api = read_api(API_KINDS[kind], url, key=key, fetcher=fetcher, parse=partial(_parse, kind, now=now), now=now)
        return Reading(parsed=api.parsed, retry_after=api.retry_after)
    if kind == "calendar":
        url = add_calendar_key(url, key)
    if kind == "wordpress":
        return _read_wordpress(url, etag=etag, last_modified=last_modified, fetcher=fetcher, now=now)
    if kind == "events":
        found, page = read_events(
            url, etag=etag, last_modified=last_modified, fetcher=fetcher, robots=robots, parse=_parse, now=now
        )
        if page is None:
            return Reading(parsed=found)
        if page.not_modified:
            return Reading(unchanged=True, etag=etag, last_modified=last_modified)
        return Reading(parsed=found, etag=page.etag, last_modified=page.last_modified)
    if kind == "page":
        robots.check(url, fetcher=fetcher, now=now)
    fetched = _fetch(kind, url, etag=etag, last_modified=last_modified, fetcher=fetcher)
    if fetched.not_modified:
        return Reading(unchanged=True, etag=etag, last_modified=last_modified)
    if kind == "page" and fetched.url != url:
        robots.check(fetched.url, fetcher=fetcher, now=now)
    return Reading(parsed=_parse(kind, fetched, now), etag=fetched.etag, last_modified=fetched.last_modified)


def _fetch(kind: str, url: str, *, etag: str, last_modified: str, fetcher: Fetcher) -> Fetched:
    """Ask for the kind's own media types first. If the server has none of them, ask for anything."""
    wanted = _ACCEPT.get(kind, _ANYTHING)
    limits = _LIMITS.get(kind, PAGE)
    try:
        return fetcher.fetch(url, etag=etag, last_modified=last_modified, limits=limits, accept=wanted)
    except BadStatus as error:
        if error.status != HTTPStatus.NOT_ACCEPTABLE or wanted == _ANYTHING:
            raise
    return fetcher.fetch(url, etag=etag, last_modified=last_modified, limits=limits, accept=_ANYTHING)


def _parse(kind: str, fetched: Fetched, now: datetime) -> Parsed:
    return parse_in_sandbox(
        Document(kind=kind, body=fetched.body, url=fetched.url, content_type=fetched.content_type, now=now)
    )


def _read_wordpress(site: str, *, etag: str, last_modified: str, fetcher: Fetcher, now: datetime) -> Reading:
    """Return all pages of recent posts; if the REST interface is closed, the site's feed, with the reason set aside.

    A later page that fails is set aside, and the pages before it are kept.
    """
    after = now - WORDPRESS_PERIOD
    try:
        collection, first = find_posts(site, after=after, etag=etag, last_modified=last_modified, fetcher=fetcher)
    except RestApiUnavailable as closed:
        return _read_fallback_feed(closed, fetcher=fetcher, now=now)
    if first.not_modified:
        return Reading(unchanged=True, etag=etag, last_modified=last_modified)
    parsed = _parse("wordpress", first, now)
    pages = total_pages(first.headers)
    for page in range(2, min(pages, MAX_WORDPRESS_PAGES) + 1):
        try:
            more = _parse("wordpress", fetcher.fetch(collection.list_url(page=page, after=after), limits=FEED), now)
            missing = more.error
        except (FetchError, ResourceLimitExceeded, ParserCrashed) as error:
            if isinstance(error, BadStatus) and error.status == HTTPStatus.BAD_REQUEST:
                # WordPress answers so for a page that does not exist: posts were deleted since the first page was read.
                break
            more, missing = Parsed(), error.message
        aside = (SetAside(Message("Page %(page)s of the posts", page=page), missing),) if missing else more.set_aside
        parsed = replace(
            parsed, stories=_deduplicate(parsed.stories + more.stories), set_aside=parsed.set_aside + aside
        )
    # The ETag of the first page says nothing about the others.
    if pages > 1:
        return Reading(parsed=parsed)
    return Reading(parsed=parsed, etag=first.etag, last_modified=first.last_modified)


def _deduplicate(stories: tuple[StoryEntry, ...]) -> tuple[StoryEntry, ...]:
    """Return each story once: a new post moves the last one of a page to the next page while they are read."""
    return tuple({story.external_id: story for story in reversed(stories)}.values())[::-1]


def _read_fallback_feed(closed: RestApiUnavailable, *, fetcher: Fetcher, now: datetime) -> Reading:
    """Return the feed of a site whose REST interface is closed, or the error if it has none either."""
    for url in feed_urls(closed.home) if closed.has_feed else ():
        try:
            parsed = _parse("feed", fetcher.fetch(url, limits=FEED), now)
        except FetchError:
            continue
        if not parsed.error:
            aside = SetAside(Message("The site's REST interface"), closed.reason)
            stories = tuple(use_post_id(story) for story in parsed.stories)
            return Reading(parsed=replace(parsed, stories=stories, set_aside=(aside, *parsed.set_aside)))
    return Reading(parsed=Parsed(error=closed.message))
