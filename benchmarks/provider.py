"""An imitation of Mailgun's API on loopback that takes every email and keeps a ledger of who was mailed."""

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

_TO = re.compile(rb'name="to"(?:; [^\r\n]*)?\r\n(?:[A-Za-z-]+: [^\r\n]*\r\n)*\r\n(.*?)\r\n--', re.DOTALL)
_ADDRESS = re.compile(r"[^\s<>,\"]+@[^\s<>,\"]+")
_ANSWER = b'{"id": "<bench@example.org>", "message": "Queued. Thank you."}'


class Provider:
    """Answers each call after ``latency`` seconds. A call counts once it is read whole, whether or not the sender lives on."""

    def __init__(self, url: str, *, latency: float) -> None:
        self.url, self.latency = url, latency
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        with self._lock:
            self.ledger: Counter[str] = Counter()
            self.calls = 0
            self.first_call_at: float | None = None
            self.last_call_at: float | None = None

    def take(self, body: bytes, content_type: str) -> None:
        addresses = list_recipients(body, content_type)
        now = time.perf_counter()
        with self._lock:
            self.ledger.update(addresses)
            self.calls += 1
            self.first_call_at = self.first_call_at or now
            self.last_call_at = now

    def count_emails(self) -> int:
        with self._lock:
            return self.ledger.total()

    def count_people(self) -> int:
        with self._lock:
            return len(self.ledger)

    def count_mailed_again(self) -> int:
        """Return how many people got more than one email."""
        with self._lock:
            return sum(times > 1 for times in self.ledger.values())


def list_recipients(body: bytes, content_type: str) -> list[str]:
    """Return the addresses in the `to` fields of a form."""
    if content_type.startswith("multipart/form-data"):
        values = [value.decode() for value in _TO.findall(body)]
    else:
        values = parse_qs(body.decode()).get("to", [])
    return [address for value in values for address in _ADDRESS.findall(value)]


@contextmanager
def serve_provider(*, latency: float) -> Iterator[Provider]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            provider.take(body, self.headers["Content-Type"])
            time.sleep(provider.latency)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(_ANSWER)))
            self.end_headers()
            self.wfile.write(_ANSWER)

        def log_message(self, format: str, *args: object) -> None:
            return

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                # The sender was killed: its call is in the ledger, its answer has nobody to go to.
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    provider = Provider(f"http://127.0.0.1:{server.server_port}", latency=latency)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
