"""The kind of source that is a WordPress site, read by its REST interface or else by its feed."""

from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus

from newsletter.common.messages import Message
from newsletter.content.fetching.errors import BadStatus, FetchError
from newsletter.content.fetching.fetcher import FEED
from newsletter.content.ingesting.wordpress_listing import RestApiUnavailable, find_posts, use_post_id
from newsletter.content.parsing.documents import Document
from newsletter.content.parsing.entries import Parsed, SetAside, StoryEntry
from newsletter.content.parsing.feeds.wordpress_addresses import feed_urls
from newsletter.content.parsing.feeds.wordpress_posts import parse_posts, total_pages
from newsletter.content.parsing.sandbox.process import ParserCrashed, ResourceLimitExceeded
from newsletter.content.parsing.source_kind import Reading, SourceKind, SourceRequest

MAX_WORDPRESS_PAGES = 5
WORDPRESS_PERIOD = timedelta(days=90)
_NOT_READ = SetAside(
    Message("Older posts"),
    Message("Only the first %(limit)s pages of the posts are read, from the newest on.", limit=MAX_WORDPRESS_PAGES),
)


class WordPress(SourceKind):
    interface = 1
    label = Message("WordPress site")
    gives = "stories"
    lists_all = True

    def read(self, request: SourceRequest) -> Reading:
        return _read_wordpress(request)

    def parse(self, document: Document) -> Parsed:
        return parse_posts(document.body, url=document.url, now=document.now)


def _read_wordpress(request: SourceRequest) -> Reading:
    """Return all pages of recent posts; if the REST interface is closed, the site's feed, with the reason set aside.

    A later page that fails is set aside, and the pages before it are kept.
    """
    fetcher = request.fetcher
    etag, last_modified = request.etag, request.last_modified
    after = request.now - WORDPRESS_PERIOD
    try:
        collection, first = find_posts(
            request.url, after=after, etag=etag, last_modified=last_modified, fetcher=fetcher
        )
    except RestApiUnavailable as closed:
        return _read_fallback_feed(closed, request)
    if first.not_modified:
        return Reading(unchanged=True, etag=etag, last_modified=last_modified)
    parsed = request.parse(first)
    pages = total_pages(first.headers)
    for page in range(2, min(pages, MAX_WORDPRESS_PAGES) + 1):
        try:
            more = request.parse(fetcher.fetch(collection.list_url(page=page, after=after), limits=FEED))
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
    if pages > MAX_WORDPRESS_PAGES:
        parsed = replace(parsed, set_aside=(*parsed.set_aside, _NOT_READ))
    # The ETag of the first page says nothing about the others.
    if pages > 1:
        return Reading(parsed=parsed)
    return Reading(parsed=parsed, etag=first.etag, last_modified=first.last_modified)


def _deduplicate(stories: tuple[StoryEntry, ...]) -> tuple[StoryEntry, ...]:
    """Return each story once: a new post moves the last one of a page to the next page while they are read."""
    return tuple({story.external_id: story for story in reversed(stories)}.values())[::-1]


def _read_fallback_feed(closed: RestApiUnavailable, request: SourceRequest) -> Reading:
    """Return the feed of a site whose REST interface is closed, or the error if it has none either."""
    for url in feed_urls(closed.home) if closed.has_feed else ():
        try:
            parsed = request.parse_as("feed", request.fetcher.fetch(url, limits=FEED), request.now)
        except FetchError:
            continue
        if not parsed.error:
            aside = SetAside(Message("The site’s REST interface"), closed.reason)
            stories = tuple(use_post_id(story) for story in parsed.stories)
            return Reading(parsed=replace(parsed, stories=stories, set_aside=(aside, *parsed.set_aside)))
    return Reading(parsed=Parsed(error=closed.message))
