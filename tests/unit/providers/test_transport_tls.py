"""The HTTP caller over a real secure connection: the certificate is checked, and the deadline holds there too."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests.adapters

from newsletter.providers.base.contract import HttpRequest
from newsletter.providers.base.errors import OutcomeUnknown, RequestNotSent
from newsletter.providers.base.transport import Transport
from tests.support.certificate import make_certificate
from tests.support.socket_server import SocketServer, drip, read_request, serve


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate and its key for 127.0.0.1, in one file."""
    return make_certificate(tmp_path_factory.mktemp("tls"))


@contextmanager
def secure(certificate: Path, behave: Callable[[SocketServer, socket.socket], None]) -> Iterator[SocketServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def wrapped(server: SocketServer, connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as safe:
            behave(server, safe)

    with serve(wrapped) as server:
        server.url = server.url.replace("http:", "https:")
        yield server


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(certificate))
    return certificate


@pytest.fixture
def transport() -> Iterator[Transport]:
    made = Transport()
    yield made
    made.close()


def post(url: str, *, body: bytes = b"small", timeout: tuple[float, float] = (0.4, 0.4)) -> HttpRequest:
    return HttpRequest("POST", url, {}, body, None, timeout)


def test_a_secure_connection_is_used_and_kept(transport: Transport, trusted: Path) -> None:
    def behave(server: SocketServer, connection: socket.socket) -> None:
        while read_request(server, connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with secure(trusted, behave) as server:
        assert [transport.call(post(server.url)).status for _ in range(2)] == [200, 200]
        assert server.connections == 1
        transport.close()


def test_a_certificate_that_nobody_vouches_for_is_not_sent_to(transport: Transport, certificate: Path) -> None:
    seen: list[bytes] = []

    def behave(server: SocketServer, connection: socket.socket) -> None:
        seen.append(read_request(server, connection))

    with secure(certificate, behave) as server, pytest.raises(RequestNotSent, match="TLS"):
        transport.call(post(server.url))
    assert seen == []


def test_a_body_on_a_slow_secure_line_may_take_longer_than_connecting(transport: Transport, trusted: Path) -> None:
    body = b"x" * 12_000_000

    def behave(server: SocketServer, connection: socket.socket) -> None:
        time.sleep(1.5)
        read_request(server, connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with secure(trusted, behave) as server:
        assert transport.call(post(server.url, body=body, timeout=(0.7, 30.0))).status == 200
        assert server.requests[0].endswith(body)


def test_one_byte_at_a_time_over_a_secure_connection_ends_at_the_deadline(transport: Transport, trusted: Path) -> None:
    def behave(server: SocketServer, connection: socket.socket) -> None:
        read_request(server, connection)
        drip(server, connection, b"H")

    with secure(trusted, behave) as server:
        with pytest.raises(OutcomeUnknown, match="no full answer within"):
            transport.call(post(server.url))
        assert server.ended_drips == 0


def test_a_handshake_that_never_ends_is_not_sent(transport: Transport) -> None:
    def behave(server: SocketServer, connection: socket.socket) -> None:
        connection.sendall(b"\x16\x03\x03\x40\x00")
        drip(server, connection, b"\x02")

    with serve(behave) as server:
        with pytest.raises(RequestNotSent):
            transport.call(post(server.url.replace("http:", "https:")))
        assert server.ended_drips == 0


def test_a_secure_connection_lost_after_the_request_is_ambiguous(transport: Transport, trusted: Path) -> None:
    def behave(server: SocketServer, connection: socket.socket) -> None:
        read_request(server, connection)

    with secure(trusted, behave) as server, pytest.raises(OutcomeUnknown, match="closed the connection"):
        transport.call(post(server.url, body=b"x" * 100_000))
