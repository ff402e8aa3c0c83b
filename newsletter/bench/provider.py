"""A fake provider in its own process on loopback: it reads each call to its end, waits, and accepts it."""

import io
import multiprocessing
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

ANSWER = b'{"id": "<bench@example.org>", "message": "Queued. Thank you."}'
ONE = b'{"ErrorCode": 0, "Message": "OK", "MessageID": "00000000-0000-0000-0000-000000000000"}'


MAIL = b'"To":'
"""What each mail of a body has once."""


@contextmanager
def serve_provider(*, latency: float, each: bool = False) -> Iterator[str]:
    """Run a provider and yield its URL. It answers after ``latency`` seconds with one receipt, or one for ``each`` mail."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, latency, each), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join(10)


def _serve(pipe: Connection, latency: float, each: bool) -> None:
    server = socket.create_server(("127.0.0.1", 0), backlog=256)
    pipe.send(server.getsockname()[1])
    while True:
        client, _ = server.accept()
        threading.Thread(target=_serve_client, args=(client, latency, each), daemon=True).start()


def _serve_client(client: socket.socket, latency: float, each: bool) -> None:
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stream = io.BufferedReader(socket.SocketIO(client, "r"), buffer_size=1 << 20)
    scratch = bytearray(1 << 20)
    while (length := _read_head(stream)) is not None:
        mails = _read_body(stream, length, scratch, count=each)
        if latency:
            time.sleep(latency)
        client.sendall(_make_answer(mails) if each else _make_answer(0))


def _read_head(stream: "io.BufferedReader[Any]") -> int | None:
    """Return the length of the body that follows, or None if the client closed the connection."""
    length = 0
    line = stream.readline()
    if not line:
        return None
    while line not in (b"\r\n", b"\n", b""):
        if line[:15].lower() == b"content-length:":
            length = int(line[15:])
        line = stream.readline()
    return length


def _read_body(stream: "io.BufferedReader[Any]", length: int, scratch: bytearray, *, count: bool) -> int:
    """Read the body to its end. Return its number of mails if ``count`` is true, else 0."""
    mails, kept = 0, 0
    while length > 0:
        read = stream.readinto(memoryview(scratch)[kept : kept + min(length, len(scratch) - kept)])
        if not read:
            break
        length -= read
        if count:
            end = kept + read
            mails += scratch.count(MAIL, 0, end)
            # The beginning of a mark that the next piece ends.
            kept = min(end, len(MAIL) - 1)
            scratch[:kept] = scratch[end - kept : end]
    return mails


def _make_answer(mails: int) -> bytes:
    body = b"[" + b",".join([ONE] * mails) + b"]" if mails else ANSWER
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body
