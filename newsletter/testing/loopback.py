"""A provider on this machine that answers as a test tells it, and keeps what it was sent."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Loopback:
    """``answer`` is (status, body), or None to close the connection without an answer."""

    url: str
    answer: tuple[int, bytes] | None = (200, b"{}")
    headers: dict[str, str] = field(default_factory=dict)
    bodies: list[bytes] = field(default_factory=list)


@contextmanager
def serve_loopback() -> Iterator[Loopback]:
    """Serve until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            provider.bodies.append(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            if provider.answer is None:
                self.close_connection = True
                return
            status, body = provider.answer
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **provider.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = Loopback(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
