"""The interfaces of Ghost, Drupal, Eventbrite, Mobilize and Action Network on loopback, with pages, keys, limits and failures.

A request without the right key gets the refusal that the interface documents. ``faults`` has what happens to a page.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.support.drawing import draw

KEY = "22444f78447824223cefc48062"
Entry = dict[str, Any]
Fault = Callable[[BaseHTTPRequestHandler, bytes], None]


@dataclass
class Api:
    """``kind`` is that of the source. ``page_size`` entries are on a page; ``entries`` are all of them."""

    kind: str
    host: str
    entries: list[Entry] = field(default_factory=list)
    page_size: int = 2
    key: str = KEY
    faults: dict[int, Fault] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    list_name: str = ""

    @property
    def url(self) -> str:
        """The address of the source."""
        return self.host + _PATHS[self.kind]

    def answer(self, page: int, query: dict[str, str]) -> Entry:
        """The body of one page, as the interface writes it."""
        first = (page - 1) * self.page_size
        part, total = self.entries[first : first + self.page_size], len(self.entries)
        pages = max(1, -(-total // self.page_size))
        return _WRITERS[self.kind](self, part, page, pages, query)

    def at(self, page: int, query: dict[str, str]) -> str:
        return f"{self.url}?{urlencode({**query, 'page': page})}"


def _write_ghost(api: Api, part: list[Entry], page: int, pages: int, query: dict[str, str]) -> Entry:
    following = page + 1 if page < pages else None
    paging = {"page": page, "limit": api.page_size, "pages": pages, "total": len(api.entries), "next": following}
    return {api.list_name or "posts": part, "meta": {"pagination": paging}}


def _write_drupal(api: Api, part: list[Entry], page: int, pages: int, query: dict[str, str]) -> Entry:
    links = {"next": {"href": api.at(page + 1, query)}} if page < pages else {}
    files = [{"type": "file--file", "id": "f1", "attributes": {"uri": {"url": "/sites/default/files/door.jpg"}}}]
    included = {"included": files} if "include" in query else {}
    return {"jsonapi": {"version": "1.0"}, api.list_name or "data": part, "links": links, **included}


def _write_eventbrite(api: Api, part: list[Entry], page: int, pages: int, query: dict[str, str]) -> Entry:
    more = {"has_more_items": page < pages} | ({"continuation": f"next-{page + 1}"} if page < pages else {})
    paging = {"object_count": len(api.entries), "page_number": page, "page_size": api.page_size, "page_count": pages}
    return {"pagination": paging | more, api.list_name or "events": part}


def _write_mobilize(api: Api, part: list[Entry], page: int, pages: int, query: dict[str, str]) -> Entry:
    following = api.at(page + 1, query) if page < pages else None
    return {"count": len(api.entries), "next": following, "previous": None, api.list_name or "data": part}


def _write_action_network(api: Api, part: list[Entry], page: int, pages: int, query: dict[str, str]) -> Entry:
    links = {"next": {"href": api.at(page + 1, query)}} if page < pages else {}
    head = {"total_pages": pages, "per_page": api.page_size, "page": page, "total_records": len(api.entries)}
    return {**head, "_links": links, "_embedded": {api.list_name or "osdi:events": part}}


_PATHS = {
    "ghost": "/ghost/api/content/posts/",
    "drupal": "/jsonapi/node/article",
    "eventbrite": "/v3/organizations/1717/events/",
    "mobilize": "/v1/organizations/1/events",
    "action_network": "/api/v2/events",
}
_WRITERS = {
    "ghost": _write_ghost,
    "drupal": _write_drupal,
    "eventbrite": _write_eventbrite,
    "mobilize": _write_mobilize,
    "action_network": _write_action_network,
}
_REFUSALS: dict[str, tuple[int, Entry]] = {
    "ghost": (401, {"errors": [{"message": "Unknown Content API Key", "errorType": "UnauthorizedError"}]}),
    "eventbrite": (401, {"status_code": 401, "error": "INVALID_AUTH", "error_description": "The token is invalid."}),
    "mobilize": (403, {"data": None, "error": {"detail": "Forbidden"}}),
    "action_network": (403, {"error": "API Key invalid or not present"}),
}
_PICTURES = "https://static.example.org"
_PICTURE = draw(800, 600)
_KEYLESS = ("drupal", "mobilize")
_ORGANISATIONS = "/v3/users/me/organizations/"


def limit(*, seconds: int) -> Fault:
    """Answer 429 with Retry-After."""
    return lambda handler, body: send(handler, 429, b'{"error": "HIT_RATE_LIMIT"}', {"Retry-After": str(seconds)})


def fail(status: int) -> Fault:
    return lambda handler, body: send(handler, status, b"{}")


def cut_off(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    """Promise the whole answer, send half of it, and close the connection."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body[: len(body) // 2])


def replace_body(new: bytes) -> Fault:
    return lambda handler, body: send(handler, 200, new)


def redirect(url: str) -> Fault:
    return lambda handler, body: send(handler, 302, b"", {"Location": url})


def send(handler: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
    handler.send_response(status)
    for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def _find_key(handler: BaseHTTPRequestHandler, kind: str, query: dict[str, str]) -> str:
    if kind == "ghost":
        return query.get("key", "")
    if kind == "action_network":
        return handler.headers.get("OSDI-API-Token", "")
    return handler.headers.get("Authorization", "").removeprefix("Bearer ")


def _page_number(query: dict[str, str]) -> int:
    return int(query.get("page") or query.get("continuation", "next-1").removeprefix("next-"))


@contextmanager
def serve_api(kind: str, *entries: Entry, **settings: Any) -> Iterator[Api]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            key = _find_key(self, kind, query)
            if not parts.path.endswith(".jpg"):
                api.asked.append(self.path)
                api.keys.append(key)
            if (
                kind in _REFUSALS
                and not parts.path.endswith(".jpg")
                and key != api.key
                and (key or kind not in _KEYLESS)
            ):
                status, refusal = _REFUSALS[kind]
                send(self, status, json.dumps(refusal).encode())
            elif parts.path == _ORGANISATIONS:
                mine = [{"id": "1717", "name": "Open Door"}, {"id": "1818", "name": "Open Door Wales"}]
                send(self, 200, json.dumps({"organizations": mine}).encode())
            elif parts.path.endswith(".jpg"):
                send(self, 200, _PICTURE, {"Content-Type": "image/jpeg"})
            elif parts.path != _PATHS[kind]:
                send(self, 404, b"{}")
            else:
                number = _page_number(query)
                body = json.dumps(api.answer(number, query)).replace(_PICTURES, api.host).encode()
                api.faults.get(number, replace_body(body))(self, body)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    api = Api(kind, f"http://127.0.0.1:{server.server_address[1]}", list(entries), **settings)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
