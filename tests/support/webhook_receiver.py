"""A receiver of webhooks on loopback. It keeps each request, and answers as the test says."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import orjson


class Received(NamedTuple):
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = orjson.loads(self.body)
        return document


class Receiver:
    """``answer`` takes a request and returns a status, or headers and a body with it. None answers nothing for a while."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.received: list[Received] = []
        self.answer: Callable[[Received], int | tuple[int, dict[str, str], bytes] | None] = lambda _: 204
        self.drips = False
        """Send a header now and then, so that no single wait is long, and never the whole answer."""

    @property
    def kinds(self) -> list[str]:
        return [one.document["type"] for one in self.received]


@contextmanager
def run_receiver(*, patience: float = 30) -> Iterator[Receiver]:
    closing = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = Received({name.lower(): value for name, value in self.headers.items()}, body)
            receiver.received.append(request)
            if receiver.drips:
                self._drip()
                return
            given = receiver.answer(request)
            if given is None:
                closing.wait(patience)
                self.close_connection = True
                return
            status, headers, content = given if isinstance(given, tuple) else (given, {}, b"")
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _drip(self) -> None:
            self.close_connection = True
            end = time.monotonic() + patience
            with contextlib.suppress(OSError):
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                while time.monotonic() < end and not closing.wait(0.1):
                    self.wfile.write(b"X-More: 1\r\n")

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    server.block_on_close = False
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}/hooks")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield receiver
    finally:
        closing.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
        time.sleep(0)
