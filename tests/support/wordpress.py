"""A WordPress site on loopback: its REST interface, feed and pages, as far as a newsletter reads them.

The answers follow the REST API handbook: who is not signed in sees published posts, of protected ones no text, and 401
for a post that is a draft, private or in the trash.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

FORM = (
    '<form action="{home}wp-login.php?action=postpass" class="post-password-form" method="post">'
    '<input name="post_password" type="password"></form>'
)


@dataclass
class Post:
    id: int
    title: str
    text: str = "What happened, in a sentence."
    status: str = "publish"
    password: str = ""
    day: str = "2026-03-02T10:00:00"
    kind: str = "posts"
    modified: str = "2026-03-02T10:00:00"
    sticky: bool = False
    plugin_fields: dict[str, object] = field(default_factory=dict)


@dataclass
class WordPress:
    """``rest`` is open, closed (401 for all) or off (404); ``permalinks`` False is a site with ``?p=`` addresses."""

    host: str
    folder: str = "/"
    permalinks: bool = True
    rest: str = "open"
    links_home: bool = True
    most_per_page: int = 100
    posts: dict[int, Post] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    page_status: int = 0

    @property
    def home(self) -> str:
        return self.host + self.folder

    def add(self, id: int, title: str, **changes: Any) -> Post:
        self.posts[id] = Post(id, title, **changes)
        return self.posts[id]

    def link(self, post: Post) -> str:
        return f"{self.home}news/{post.id}/" if self.permalinks else f"{self.home}?p={post.id}"

    def answer(self, target: str) -> tuple[int, dict[str, str], bytes]:
        """The status, headers and body for a request."""
        parts = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        path = parts.path.removeprefix(self.folder) if parts.path.startswith(self.folder) else "elsewhere/"
        if self.permalinks and path.startswith("wp-json"):
            return self._rest(path.removeprefix("wp-json").strip("/"), query)
        if "rest_route" in query and path in ("", "index.php"):
            return self._rest(query["rest_route"].strip("/"), query)
        if (self.permalinks and path.strip("/") == "feed") or query.get("feed") == "rss2":
            return 200, {"Content-Type": "application/rss+xml"}, self._feed()
        number = query.get("p") or (path.strip("/").rpartition("/")[2] if path.startswith("news/") else "")
        if number:
            return self._page(number)
        if path == "":
            return 200, {"Content-Type": "text/html", **self._rest_link()}, self._front()
        return 404, {"Content-Type": "text/html"}, b"<h1>Page not found</h1>"

    def _root(self) -> str:
        return f"{self.home}wp-json/" if self.permalinks else f"{self.home}index.php?rest_route=/"

    def _rest_link(self) -> dict[str, str]:
        return {"Link": f'<{self._root()}>; rel="https://api.w.org/"'} if self.links_home else {}

    def _front(self) -> bytes:
        return (
            f'<html><head><link rel="https://api.w.org/" href="{self._root()}"></head><body>Home</body></html>'.encode()
        )

    def _rest(self, route: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if self.rest != "open":
            status, code = (401, "rest_not_logged_in") if self.rest == "closed" else (404, "rest_no_route")
            return self._json(status, {"code": code, "message": "No.", "data": {"status": status}})
        kind, _, number = route.removeprefix("wp/v2/").partition("/")
        of_kind = [post for post in self.posts.values() if post.kind == kind]
        if number:
            return self._one(number, of_kind)
        if not of_kind and kind != "posts":
            return self._json(404, {"code": "rest_no_route", "message": "No route.", "data": {"status": 404}})
        shown = sorted((post for post in of_kind if post.status == "publish"), key=lambda post: post.day, reverse=True)
        if "include" in query:
            shown = [post for post in shown if str(post.id) in query["include"].split(",")]
        if "after" in query:
            shown = [post for post in shown if post.day > query["after"]]
        per_page, page = min(int(query.get("per_page", "10")), self.most_per_page), int(query.get("page", "1"))
        pages = max(1, -(-len(shown) // per_page))
        if page > pages:
            return self._json(400, {"code": "rest_post_invalid_page_number", "message": "", "data": {"status": 400}})
        part = shown[(page - 1) * per_page : page * per_page]
        return self._json(200, [self._say(post) for post in part], {"X-WP-TotalPages": str(pages)})

    def _one(self, number: str, posts: list[Post]) -> tuple[int, dict[str, str], bytes]:
        post = next((post for post in posts if str(post.id) == number), None)
        if post is None:
            return self._json(404, {"code": "rest_post_invalid_id", "message": "", "data": {"status": 404}})
        if post.status != "publish":
            return self._json(401, {"code": "rest_forbidden", "message": "", "data": {"status": 401}})
        return self._json(200, self._say(post))

    def _say(self, post: Post) -> dict[str, Any]:
        text = "" if post.password else f"<p>{post.text}</p>"
        return {
            "id": post.id,
            "date_gmt": post.day,
            "modified_gmt": post.modified,
            "guid": {"rendered": f"{self.home}?p={post.id}"},
            "link": self.link(post),
            "status": post.status,
            "sticky": post.sticky,
            "title": {"rendered": f"Protected: {post.title}" if post.password else post.title},
            "excerpt": {"rendered": text, "protected": bool(post.password)},
            "content": {"rendered": text, "protected": bool(post.password)},
            **post.plugin_fields,
        }

    def _feed(self) -> bytes:
        items = "".join(
            self._item(post) for post in self.posts.values() if post.status == "publish" and post.kind == "posts"
        )
        return f'<?xml version="1.0"?><rss version="2.0"><channel><title>Site</title>{items}</channel></rss>'.encode()

    def _item(self, post: Post) -> str:
        title = f"Protected: {post.title}" if post.password else post.title
        text = "There is no excerpt because this is a protected post." if post.password else post.text
        return (
            f"<item><title>{title}</title><link>{self.link(post).replace('&', '&amp;')}</link>"
            f'<guid isPermaLink="false">{self.home}?p={post.id}</guid>'
            f"<pubDate>Mon, 02 Mar 2026 10:00:00 GMT</pubDate><description>{text}</description></item>"
        )

    def _page(self, number: str) -> tuple[int, dict[str, str], bytes]:
        post = next((post for post in self.posts.values() if str(post.id) == number), None)
        if self.page_status:
            return self.page_status, {}, b""
        if post is None or post.status != "publish":
            return 404, {"Content-Type": "text/html"}, b"<h1>Page not found</h1>"
        text = (
            FORM.format(home=self.home) if post.password else f"<p>{post.text} It is told at length on this page.</p>"
        )
        head = (
            f'<title>{post.title}</title><link rel="canonical" href="{self.link(post)}">'
            f'<link rel="shortlink" href="{self.home}?p={post.id}">'
        )
        body = f"<html><head>{head}</head><body><article><h1>{post.title}</h1>{text}</article></body></html>"
        return 200, {"Content-Type": "text/html", **self._rest_link()}, body.encode()

    def _json(self, status: int, data: Any, more: dict[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
        return status, {"Content-Type": "application/json; charset=UTF-8", **(more or {})}, json.dumps(data).encode()


@contextmanager
def serve_wordpress(**settings: Any) -> Iterator[WordPress]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(self.path)
            status, headers, body = site.answer(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site = WordPress(host=f"http://127.0.0.1:{server.server_address[1]}", **settings)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
