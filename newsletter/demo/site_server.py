"""The sample organisation's web site over HTTP: a threaded server on 127.0.0.1 with ETags and conditional GET."""

from datetime import datetime
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from django.utils.http import parse_etags, parse_http_date_safe

from newsletter.common.errors import DomainError
from newsletter.demo.site_pages import Page, SitePages


class DemoSiteError(DomainError):
    """The sample site cannot be served; the message says why and what to do."""


class DemoSite:
    """The running site, as a context manager. ``now`` (aware) fixes all dates; ``port`` 0 takes a free one.

    ``url`` is the base URL without a last "/"; ``requests`` counts the answers by (path, status).
    Raises ``DemoSiteError`` if the port is taken.
    """

    def __init__(self, *, now: datetime, port: int = 0) -> None:
        self.requests: dict[tuple[str, int], int] = {}
        self._lock = Lock()
        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", port), _make_handler(self))
        except OSError as error:
            raise DemoSiteError(
                "The sample site cannot use port %(port)s of this machine (%(reason)s). "
                "Choose another port, or 0 for any free one.",
                port=port,
                reason=error.strerror,
            ) from error
        self._server.daemon_threads = True
        self._thread = Thread(
            target=self._server.serve_forever, name="demo-site", kwargs={"poll_interval": 0.05}, daemon=True
        )
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.pages = SitePages(url=self.url, now=now)

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

    def count_request(self, *, path: str, status: int) -> None:
        """Count one answer."""
        with self._lock:
            self.requests[path, status] = self.requests.get((path, status), 0) + 1


def _make_handler(site: DemoSite) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answer GET and HEAD from the site's pages, without a line on standard error."""

        protocol_version = "HTTP/1.1"
        server_version = "SampleSite"
        sys_version = ""
        timeout = 30

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except ConnectionError:
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            return

        def _answer(self, *, with_body: bool) -> None:
            page = site.pages.find_page(self.path) or site.pages.not_found
            unchanged = page.status == HTTPStatus.OK and self._is_unchanged(page)
            status = HTTPStatus.NOT_MODIFIED if unchanged else page.status
            site.count_request(path=urlsplit(self.path).path, status=status)
            self.send_response(status)
            for name, value in page.headers.items():
                self.send_header(name, value)
            if page.status == HTTPStatus.OK:
                self.send_header("ETag", page.etag)
                self.send_header("Last-Modified", format_datetime(site.pages.last_modified, usegmt=True))
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
                return page.etag in parse_etags(tags)
            since = parse_http_date_safe(self.headers.get("If-Modified-Since", ""))
            return since is not None and site.pages.last_modified.timestamp() <= since

    return Handler
