"""Looks at one source over the guarded fetcher and parses what it says, by its kind. Stores nothing."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from newsletter.content.calendars import parse_calendar
from newsletter.content.entries import Parsed
from newsletter.content.event_pages import parse_event_page
from newsletter.content.feeds import parse_feed
from newsletter.content.fetch import CALENDAR, FEED, PAGE, Fetched, Fetcher
from newsletter.content.pages import parse_story_page
from newsletter.content.wordpress import parse_posts, posts_url, total_pages

CALENDAR_AHEAD = timedelta(days=400)
MOST_WORDPRESS_PAGES = 5


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
    """Fetch and parse. Raises FetchError where the source cannot be reached or refuses."""
    if kind == "wordpress":
        return _read_wordpress(url, fetcher=fetcher, now=now, days_back=days_back)
    limits = {"feed": FEED, "calendar": CALENDAR}.get(kind, PAGE)
    fetched = fetcher.fetch(url, etag=etag, last_modified=last_modified, limits=limits)
    if fetched.not_modified:
        return Reading(unchanged=True, etag=etag, last_modified=last_modified)
    return Reading(parsed=_parse(kind, fetched, now), etag=fetched.etag, last_modified=fetched.last_modified)


def _parse(kind: str, fetched: Fetched, now: datetime) -> Parsed:
    if kind == "feed":
        return parse_feed(fetched.body, content_type=fetched.content_type, url=fetched.url, now=now)
    if kind == "page":
        return parse_story_page(fetched.body, url=fetched.url, content_type=fetched.content_type, now=now)
    if kind == "calendar":
        return parse_calendar(
            fetched.body, url=fetched.url, window_start=now - timedelta(days=1), window_end=now + CALENDAR_AHEAD
        )
    return parse_event_page(fetched.body, url=fetched.url, content_type=fetched.content_type, now=now)


def _read_wordpress(site: str, *, fetcher: Fetcher, now: datetime, days_back: int) -> Reading:
    """All pages of recent posts; a later page that fails is reported as set aside with what came before it kept."""
    after = now - timedelta(days=days_back)
    first = fetcher.fetch(posts_url(site, after=after), limits=FEED)
    parsed = parse_posts(first.body, url=first.url, now=now)
    for page in range(2, min(total_pages(first.headers), MOST_WORDPRESS_PAGES) + 1):
        more = parse_posts(
            fetcher.fetch(posts_url(site, page=page, after=after), limits=FEED).body, url=first.url, now=now
        )
        parsed = replace(parsed, stories=parsed.stories + more.stories, set_aside=parsed.set_aside + more.set_aside)
    return Reading(parsed=parsed)
