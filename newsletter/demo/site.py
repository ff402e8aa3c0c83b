"""The sample organisation's web site: a threaded HTTP server on loopback with ETags and conditional GET.

It only serves what the other modules write, and never listens on anything but 127.0.0.1.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import cached_property, partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from newsletter.common.errors import DomainError
from newsletter.demo import calendars, feeds, pictures, web_pages, wordpress
from newsletter.demo.events import DemoEvent, load_events
from newsletter.demo.stories import DemoStory, load_stories

_HTML = "text/html; charset=utf-8"


class DemoSiteError(DomainError):
    """The sample site cannot be served; the message says why and what to do."""


@dataclass(frozen=True)
class Page:
    """What one path answers."""

    body: bytes
    content_type: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def etag(self) -> str:
        """A strong ETag made from the bytes."""
        return f'"{hashlib.sha256(self.body).hexdigest()[:24]}"'


class DemoSite:
    """The running site, as a context manager. ``now`` (aware) fixes all dates; ``port`` 0 takes a free one.

    ``url`` is the base URL without a last "/"; ``requests`` counts the answers by (path, status).
    Raises ``DemoSiteError`` when the port is taken.
    """

    def __init__(self, *, now: datetime, port: int = 0) -> None:
        self.now = now
        self.requests: dict[tuple[str, int], int] = {}
        self._lock = Lock()
        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler_for(self))
        except OSError as error:
            raise DemoSiteError(
                f"The sample site cannot use port {port} of this machine ({error.strerror}). "
                "Choose another port, or 0 for any free one."
            ) from error
        self._server.daemon_threads = True
        self._thread = Thread(
            target=self._server.serve_forever, name="demo-site", kwargs={"poll_interval": 0.05}, daemon=True
        )
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.stories = load_stories("stories", now=now)
        self.field_stories = load_stories("field", now=now)
        self.partner_stories = load_stories("partner", now=now)
        self.events = load_events(now=now)
        self._writers = self._list_writers()
        self._pages: dict[str, Page] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop serving and free the port."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def paths(self) -> tuple[str, ...]:
        """Every path that answers with a page, except the WordPress route."""
        return tuple(self._writers)

    def find_page(self, target: str) -> Page | None:
        """What a request target answers, or None when there is nothing at its path."""
        parts = urlsplit(target)
        if parts.path.rstrip("/") == "/wp-json/wp/v2/posts":
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            answer = wordpress.answer_posts(self.field_stories, site=self.url, query=query)
            return Page(answer.body, "application/json; charset=UTF-8", answer.status, answer.headers)
        if parts.path not in self._writers:
            return None
        if parts.path not in self._pages:
            content_type, write = self._writers[parts.path]
            self._pages[parts.path] = Page(write(), content_type)
        return self._pages[parts.path]

    def count(self, *, path: str, status: int) -> None:
        """Note one answer."""
        with self._lock:
            self.requests[path, status] = self.requests.get((path, status), 0) + 1

    @property
    def last_modified(self) -> datetime:
        """When the newest story came out."""
        everything = (*self.stories, *self.field_stories, *self.partner_stories)
        return max(story.published_at for story in everything)

    def _list_writers(self) -> dict[str, tuple[str, Callable[[], bytes]]]:
        in_feed = [story for story in self.stories if story.in_feed]
        in_calendar = [event for event in self.events if event.source == "calendar"]
        of_partners = [event for event in self.events if event.source == "partners"]
        site = self.url
        writers: dict[str, tuple[str, Callable[[], bytes]]] = {
            "/": (_HTML, self._write_home),
            "/stories/feed.xml": ("application/rss+xml; charset=utf-8", lambda: feeds.write_rss(in_feed, site=site)),
            "/atom.xml": (
                "application/atom+xml; charset=utf-8",
                lambda: feeds.write_atom(self.partner_stories, site=site),
            ),
            "/feed.json": ("application/feed+json", lambda: feeds.write_json_feed(self.partner_stories, site=site)),
            "/events.ics": (
                "text/calendar; charset=utf-8",
                lambda: calendars.write_calendar(in_calendar, site=site, now=self.now),
            ),
            "/events/partners/": (
                _HTML,
                lambda: web_pages.write_event_page(of_partners, title="Our partners’ events", site=site),
            ),
            "/logo.png": ("image/png", lambda: pictures.logo_png(dark=False)),
            "/logo-dark.png": ("image/png", lambda: pictures.logo_png(dark=True)),
        }
        for name in pictures.NAMES:
            writers[f"/pictures/{name}.jpg"] = ("image/jpeg", partial(pictures.picture_jpeg, name))
        for story in (*self.stories, *self.field_stories, *self.partner_stories):
            writers[story.path] = (_HTML, partial(self._write_story, story))
        for event in self.events:
            writers[event.path] = (_HTML, partial(self._write_event, event))
        for path, (title, text) in web_pages.SHORT_PAGES.items():
            writers[path] = (_HTML, partial(_write_short, (title, text)))
        return writers

    def _write_home(self) -> bytes:
        return web_pages.write_home(
            stories=self.stories, field=self.field_stories, partner=self.partner_stories, events=self.events
        )

    def _write_story(self, story: DemoStory) -> bytes:
        others = {other.slug: other for other in (*self.stories, *self.field_stories, *self.partner_stories)}
        return web_pages.write_story_page(story, others=others, site=self.url)

    def _write_event(self, event: DemoEvent) -> bytes:
        return web_pages.write_event_page([event], title=event.title, site=self.url)


def _write_short(page: tuple[str, str]) -> bytes:
    title, text = page
    return web_pages.write_short_page(title=title, text=text)


def _handler_for(site: DemoSite) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers GET and HEAD from the site's pages; says nothing on standard error."""

        protocol_version = "HTTP/1.1"
        server_version = "SampleSite"
        sys_version = ""
        timeout = 30

        def do_GET(self) -> None:
            self._answer_or_hang_up(with_body=True)

        def do_HEAD(self) -> None:
            self._answer_or_hang_up(with_body=False)

        def log_message(self, format: str, *args: object) -> None:
            return

        def _answer_or_hang_up(self, *, with_body: bool) -> None:
            try:
                self._answer(with_body=with_body)
            except ConnectionError:
                self.close_connection = True

        def _answer(self, *, with_body: bool) -> None:
            page = site.find_page(self.path)
            if page is None:
                text = "There is no page at this address."
                body = web_pages.write_short_page(title="Not found", text=text)
                page = Page(body, _HTML, HTTPStatus.NOT_FOUND)
            unchanged = page.status == HTTPStatus.OK and self._is_unchanged(page)
            status = HTTPStatus.NOT_MODIFIED if unchanged else page.status
            site.count(path=urlsplit(self.path).path, status=status)
            self.send_response(status)
            for name, value in page.headers.items():
                self.send_header(name, value)
            if page.status == HTTPStatus.OK:
                self.send_header("ETag", page.etag)
                self.send_header("Last-Modified", format_datetime(site.last_modified, usegmt=True))
                self.send_header("Cache-Control", "no-cache")
            if not unchanged:
                self.send_header("Content-Type", page.content_type)
                self.send_header("Content-Length", str(len(page.body)))
            self.end_headers()
            if with_body and not unchanged:
                self.wfile.write(page.body)

        def _is_unchanged(self, page: Page) -> bool:
            tags = self.headers.get("If-None-Match")
            if tags is not None:
                wanted = {tag.strip().removeprefix("W/") for tag in tags.split(",")}
                return page.etag in wanted or "*" in wanted
            since = self.headers.get("If-Modified-Since")
            if since is None:
                return False
            try:
                asked = parsedate_to_datetime(since)
            except ValueError:
                return False
            return asked.tzinfo is not None and site.last_modified <= asked

    return Handler
