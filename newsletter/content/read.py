"""Looks at one source over the guarded fetcher and has what it says parsed, by its kind. Stores nothing."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from newsletter.content.entries import Parsed, SetAside
from newsletter.content.fetch import CALENDAR, FEED, PAGE, Fetched, Fetcher, FetchError
from newsletter.content.parse import CALENDAR_AHEAD, Document
from newsletter.content.parse_apart import TooHeavy, Unreadable, parse_apart
from newsletter.content.read_events import read_events
from newsletter.content.robots import Robots
from newsletter.content.wordpress import posts_url, total_pages

__all__ = ["CALENDAR_AHEAD", "FetchError", "Reading", "TooHeavy", "Unreadable", "read_source", "robots"]

MOST_WORDPRESS_PAGES = 5
_FOR_PEOPLE = ("page",)
_ACCEPT = {"calendar": "text/calendar, text/plain;q=0.5, */*;q=0.1"}
_LIMITS = {"feed": FEED, "calendar": CALENDAR}

robots = Robots()


@dataclass(frozen=True)
class Reading:
    """What a source said. ``unchanged`` means it said that nothing is new since it was last asked."""

    parsed: Parsed = field(default_factory=Parsed)
    unchanged: bool = False
    etag: str = ""
    last_modified: str = ""


def read_source(
    *, kind: str, url: str, etag: str, last_modified: str, fetcher: Fetcher, now: datetime, days_back: int = 90
) -> Reading:
    """Fetch and parse. Raises FetchError where the source cannot be reached or refuses, TooHeavy and Unreadable."""
    if kind == "wordpress":
        return _read_wordpress(url, fetcher=fetcher, now=now, days_back=days_back)
    if kind == "events":
        found, page = read_events(
            url, etag=etag, last_modified=last_modified, fetcher=fetcher, robots=robots, parse=_parse, now=now
        )
        if page is None:
            return Reading(parsed=found)
        if page.not_modified:
            return Reading(unchanged=True, etag=etag, last_modified=last_modified)
        return Reading(parsed=found, etag=page.etag, last_modified=page.last_modified)
    if kind in _FOR_PEOPLE:
        robots.check(url, fetcher=fetcher, now=now)
    fetched = fetcher.fetch(
        url,
        etag=etag,
        last_modified=last_modified,
        limits=_LIMITS.get(kind, PAGE),
        accept=_ACCEPT.get(kind, "*/*"),
    )
    if fetched.not_modified:
        return Reading(unchanged=True, etag=etag, last_modified=last_modified)
    if kind in _FOR_PEOPLE and fetched.url != url:
        robots.check(fetched.url, fetcher=fetcher, now=now)
    return Reading(parsed=_parse(kind, fetched, now), etag=fetched.etag, last_modified=fetched.last_modified)


def _parse(kind: str, fetched: Fetched, now: datetime) -> Parsed:
    return parse_apart(
        Document(kind=kind, body=fetched.body, url=fetched.url, content_type=fetched.content_type, now=now)
    )


def _read_wordpress(site: str, *, fetcher: Fetcher, now: datetime, days_back: int) -> Reading:
    """All pages of recent posts; a later page that fails is reported as set aside with what came before it kept."""
    after = now - timedelta(days=days_back)
    first = fetcher.fetch(posts_url(site, after=after), limits=FEED)
    parsed = _parse("wordpress", first, now)
    for page in range(2, min(total_pages(first.headers), MOST_WORDPRESS_PAGES) + 1):
        try:
            more = _parse("wordpress", fetcher.fetch(posts_url(site, page=page, after=after), limits=FEED), now)
            missing = more.error
        except (FetchError, TooHeavy, Unreadable) as error:
            more, missing = Parsed(), str(error)
        aside = (SetAside(f"Page {page} of the posts", missing),) if missing else more.set_aside
        parsed = replace(parsed, stories=parsed.stories + more.stories, set_aside=parsed.set_aside + aside)
    return Reading(parsed=parsed)
