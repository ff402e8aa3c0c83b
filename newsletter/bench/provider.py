"""A provider that takes everything, in a process of its own on loopback: it reads a call to its end, waits, and says yes."""

import io
import multiprocessing
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

ANSWER = b'{"id": "<bench@example.org>", "message": "Queued. Thank you."}'
HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + str(len(ANSWER)).encode() + b"\r\n\r\n"
)


@contextmanager
def serve_provider(*, latency: float) -> Iterator[str]:
    """The endpoint of a provider that answers after ``latency`` seconds."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, latency), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join(10)


def _serve(pipe: Connection, latency: float) -> None:
    server = socket.create_server(("127.0.0.1", 0), backlog=256)
    pipe.send(server.getsockname()[1])
    while True:
        client, _ = server.accept()
        threading.Thread(target=_answer, args=(client, latency), daemon=True).start()


def _answer(client: socket.socket, latency: float) -> None:
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stream = io.BufferedReader(socket.SocketIO(client, "r"), buffer_size=1 << 20)
    scratch = bytearray(1 << 20)
    while True:
        length = 0
        line = stream.readline()
        if not line:
            return
        while line not in (b"\r\n", b"\n", b""):
            if line[:15].lower() == b"content-length:":
                length = int(line[15:])
            line = stream.readline()
        while length > 0:
            read = stream.readinto(memoryview(scratch)[: min(length, len(scratch))])
            if not read:
                return
            length -= read
        if latency:
            time.sleep(latency)
        client.sendall(HEAD + ANSWER)
