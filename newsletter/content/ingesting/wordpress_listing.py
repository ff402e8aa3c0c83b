"""Find where a WordPress site lists its posts: with or without permalinks, in a folder, or at an address its pages name."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

from cachetools import LRUCache

from newsletter.common.messages import Message
from newsletter.content.fetching.errors import BadStatus, FetchError
from newsletter.content.fetching.fetcher import FEED, PAGE, Fetched, Fetcher
from newsletter.content.parsing.entries import StoryEntry
from newsletter.content.parsing.feeds.wordpress_addresses import (
    POSTS,
    Collection,
    find_rest_root,
    parse_site_address,
    plain_root,
    pretty_root,
)

_CLOSED = frozenset({401, 403})
_ABSENT = frozenset({404, 405, 410})
_MAX_SITES = 1_000
_roots: LRUCache[str, str] = LRUCache(_MAX_SITES)
_lock = threading.Lock()


class RestApiUnavailable(FetchError):
    """The site refuses to list its posts. ``has_feed`` means that its feed may be read instead."""

    def __init__(self, message: str, *, reason: str, home: str, has_feed: bool) -> None:
        super().__init__(message)
        self.reason = reason
        self.home = home
        self.has_feed = has_feed


def find_posts(
    url: str, *, after: datetime, etag: str, last_modified: str, fetcher: Fetcher
) -> tuple[Collection, Fetched]:
    """Return the collection that lists the posts, and its first page.

    Raises RestApiUnavailable if the site refuses or has no such list, and FetchError if it cannot be reached.
    """
    given = get_known_collection(url)
    refused = ""
    tried: set[str] = set()
    for collection in _list_candidates(given, fetcher):
        if collection.root in tried:
            continue
        tried.add(collection.root)
        try:
            first = fetcher.fetch(collection.list_url(after=after), etag=etag, last_modified=last_modified, limits=FEED)
        except BadStatus as error:
            if error.status not in _CLOSED | _ABSENT:
                raise
            refused = error.message if error.status in _CLOSED else refused or error.message
            if error.status in _CLOSED:
                break
            continue
        if first.not_modified or is_json(first.body):
            remember_root(collection)
            return collection, first
        refused = Message("The site does not answer like WordPress.")
    home = given.home
    raise RestApiUnavailable(
        Message(
            "%(refused)s Check that the address is right and that the REST interface of the site is on.",
            refused=refused,
        ),
        reason=Message("The REST API cannot be read, so the feed was read instead. %(refused)s", refused=refused),
        home=home,
        has_feed=given.kind == POSTS and not given.filters,
    )


def use_post_id(story: StoryEntry) -> StoryEntry:
    """Return a story of the site's feed with the number that it has in the REST interface."""
    for address in (story.external_id, *story.addresses):
        parts = urlsplit(address)
        (number, *_) = parse_qs(parts.query).get("p", [""])
        if parts.scheme in ("http", "https") and number.isascii() and number.isdigit():
            return replace(story, external_id=number)
    return story


def is_json(body: bytes) -> bool:
    """Return True if a document looks like JSON."""
    return body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"[", b"{")


def _list_candidates(given: Collection, fetcher: Fetcher) -> Iterator[Collection]:
    """Yield the possible REST addresses. The one that the site's own page names comes last, as it costs a request."""
    yield given
    yield given.with_root(pretty_root(given.home))
    yield given.with_root(plain_root(given.home))
    try:
        page = fetcher.fetch(given.home, limits=PAGE)
    except FetchError:
        return
    root = find_rest_root(page.body, headers=page.headers, url=page.url)
    if root:
        yield given.with_root(root)


def get_known_collection(url: str) -> Collection:
    """Return what the address names, with the REST root that the site answered last."""
    collection = parse_site_address(url)
    with _lock:
        root = _roots.get(collection.home)
    return collection.with_root(root) if root else collection


def remember_root(collection: Collection) -> None:
    """Remember the REST root that the site answered."""
    with _lock:
        _roots[collection.home] = collection.root
