"""A web server on loopback that misbehaves in every way that the fetcher must survive."""

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.support.zeros import MEGABYTE, compress_zeros

Answer = Callable[[socket.socket, "Request"], None]
_PATIENCE = 8.0


class Request:
    """One request: its request line, and its headers with lower-case names."""

    def __init__(self, text: str) -> None:
        lines = text.split("\r\n")
        self.path = lines[0].split(" ")[1] if " " in lines[0] else ""
        pairs = (line.partition(":") for line in lines[1:] if ":" in line)
        self.headers = {name.strip().lower(): value.strip() for name, _, value in pairs}


class MisbehavingServer:
    """Answer each path by its own function, and keep every request."""

    def __init__(self, *, host: str = "127.0.0.1") -> None:
        self.routes: dict[str, Answer] = {}
        self.requests: list[Request] = []
        self._closing = threading.Event()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        self._listener.settimeout(0.2)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://{host}:{self.port}"
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(client,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            client.settimeout(_PATIENCE)
            try:
                text = b""
                while b"\r\n\r\n" not in text:
                    piece = client.recv(65536)
                    if not piece:
                        return
                    text += piece
                request = Request(text.decode("latin-1"))
                self.requests.append(request)
                answer = self.routes.get(request.path.split("?")[0], respond(status="404 Not Found"))
                answer(client, request)
            except OSError:
                return

    def wait(self, seconds: float) -> bool:
        """Wait, but not longer than the server runs. Return True if it is closing."""
        return self._closing.wait(seconds)

    def close(self) -> None:
        self._closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(_PATIENCE)
        for thread in self._threads:
            thread.join(_PATIENCE)


@contextmanager
def misbehaving_server(*, host: str = "127.0.0.1") -> Iterator[MisbehavingServer]:
    server = MisbehavingServer(host=host)
    try:
        yield server
    finally:
        server.close()


def respond(body: bytes = b"", *, status: str = "200 OK", length: int | None = None, **headers: str) -> Answer:
    """Return a plain answer. Header names have underscores for hyphens; ``length`` may be wrong."""

    def answer(client: socket.socket, request: Request) -> None:
        lines = [
            f"HTTP/1.1 {status}",
            f"Content-Length: {len(body) if length is None else length}",
            "Connection: close",
        ]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        client.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    return answer


def drip(server: MisbehavingServer, *, before_headers: bool = False) -> Answer:
    """Send one byte of the headers or of the body every tenth of a second, until the client leaves."""

    def answer(client: socket.socket, request: Request) -> None:
        client.sendall(b"HTTP/1.1 200 OK\r\n" + (b"X-Slow: " if before_headers else b"Content-Type: text/xml\r\n\r\n"))
        started = time.monotonic()
        while time.monotonic() - started < _PATIENCE and not server.wait(0.1):
            client.sendall(b"x")

    return answer


def endless_headers(server: MisbehavingServer) -> Answer:
    def answer(client: socket.socket, request: Request) -> None:
        client.sendall(b"HTTP/1.1 200 OK\r\n")
        for number in range(10_000):
            client.sendall(f"X-Header-{number}: {'x' * 100}\r\n".encode())

    return answer


def bomb(*, encoding: str, megabytes: int) -> Answer:
    """Return zeros compressed 1,000 to 1."""
    packed = compress_zeros(megabytes * MEGABYTE, as_gzip=encoding == "gzip")
    return respond(packed, Content_Encoding=encoding, Content_Type="text/xml")


def gzipped(body: bytes) -> Answer:
    return respond(gzip.compress(body), Content_Encoding="gzip", Content_Type="text/xml")
