"""A server of one's own making on loopback: each connection is handed to a function that may do anything to it."""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

_DRIPS = 600
_SECONDS_A_DRIP = 0.05


class Readable(Protocol):
    """A connection from which bytes can be read."""

    def recv(self, size: int, /) -> bytes: ...


class SocketServer:
    """The server's address, and how many connections and whole requests it saw.

    ``ended_drips`` counts the callers of `drip` that waited for its end.
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.connections = 0
        self.requests: list[bytes] = []
        self.ended_drips = 0


@contextmanager
def serve(behave: Callable[[SocketServer, socket.socket], None]) -> Iterator[SocketServer]:
    """Run a server whose every connection goes to ``behave`` in a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = SocketServer(listener.getsockname()[1])
    threads: list[threading.Thread] = []
    open_sockets: list[socket.socket] = []

    def one(connection: socket.socket) -> None:
        try:
            behave(server, connection)
        except OSError:
            return
        finally:
            connection.close()

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            server.connections += 1
            open_sockets.append(connection)
            threads.append(threading.Thread(target=one, args=(connection,), daemon=True))
            threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield server
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(5)
        for connection in open_sockets:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        for thread in threads:
            thread.join(5)


def read_request(server: SocketServer, connection: Readable) -> bytes:
    """Read one whole request and note it. Gives an empty text where the caller hung up first."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    wanted = int(lengths[0]) if lengths else 0
    while len(body) < wanted:
        more = connection.recv(65536)
        if not more:
            return b""
        body += more
    server.requests.append(head + b"\r\n\r\n" + body)
    return server.requests[-1]


def drip(server: SocketServer, connection: socket.socket, byte: bytes = b".") -> None:
    """Send one byte at a time for half a minute. Raise OSError if the caller hangs up before."""
    for _ in range(_DRIPS):
        connection.sendall(byte)
        time.sleep(_SECONDS_A_DRIP)
    server.ended_drips += 1


def reset(connection: socket.socket) -> None:
    """Close the connection the rude way (RST)."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
