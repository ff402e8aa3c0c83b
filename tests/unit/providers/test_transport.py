"""The HTTP client reports correctly whether a request can have been read."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from newsletter.providers.base import deadline
from newsletter.providers.base.contract import HttpRequest
from newsletter.providers.base.deadline import DeadlineWatcher
from newsletter.providers.base.errors import OutcomeUnknown, RequestNotSent
from newsletter.providers.base.transport import CountingBody, Transport
from tests.support.no_threads import refuse_threads
from tests.support.socket_server import SocketServer, drip, read_request, reset, serve

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
BIG = b"x" * 12_000_000


@pytest.fixture
def transport() -> Iterator[Transport]:
    made = Transport()
    yield made
    made.close()


def post(url: str, *, body: bytes = b"small", timeout: tuple[float, float] = (1.0, 1.0)) -> HttpRequest:
    return HttpRequest("POST", url, {"Content-Type": "text/plain"}, body, None, timeout)


def answer_ok(server: SocketServer, connection: socket.socket) -> None:
    while read_request(server, connection):
        connection.sendall(OK)


def test_an_answer_comes_back_with_status_lower_case_headers_and_body(transport: Transport) -> None:
    def behave(server: SocketServer, connection: socket.socket) -> None:
        read_request(server, connection)
        connection.sendall(b"HTTP/1.1 418 Teapot\r\nRetry-After: 7\r\nContent-Length: 3\r\n\r\nabc")

    with serve(behave) as server:
        answer = transport.call(post(server.url))
    assert (answer.status, answer.headers["retry-after"], answer.body, answer.complete) == (418, "7", b"abc", True)


def test_the_key_is_sent_as_basic_authorisation(transport: Transport) -> None:
    with serve(answer_ok) as server:
        transport.call(HttpRequest("POST", server.url, {}, b"x", ("api", "key")))
        assert b"Authorization: Basic YXBpOmtleQ==" in server.requests[0]


def test_a_request_shows_neither_key_nor_body_when_printed() -> None:
    request = HttpRequest(
        "POST", "http://x.example", {"Authorization": "Bearer s3cret"}, b"body-s3cret", ("api", "s3cret")
    )
    assert "s3cret" not in repr(request)


def test_a_refused_connection_is_not_sent(transport: Transport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(RequestNotSent, match="refused the connection"):
        transport.call(post(f"http://127.0.0.1:{port}"))


def test_an_unknown_host_is_not_sent(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_name(*args: object, **kwargs: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
    with pytest.raises(RequestNotSent, match="DNS"):
        transport.call(post("http://provider.example"))


def test_a_server_that_does_not_speak_tls_is_not_sent(transport: Transport) -> None:
    def behave(server: SocketServer, connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with serve(behave) as server, pytest.raises(RequestNotSent, match="TLS"):
        transport.call(post(server.url.replace("http:", "https:")))


def test_a_server_that_does_not_pick_up_is_not_sent(transport: Transport) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for caller in waiting:
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        with pytest.raises(RequestNotSent, match="did not accept the connection in time"):
            transport.call(post(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=(0.3, 1.0)))
        for caller in waiting:
            caller.close()


def test_a_machine_that_starts_no_more_threads_sends_nothing(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "_watcher", DeadlineWatcher())
    with serve(answer_ok) as server:
        with monkeypatch.context() as patched:
            refuse_threads(patched)
            with pytest.raises(RequestNotSent, match="could not start a thread"):
                transport.call(post(server.url))
        assert server.connections == 0
        assert transport.call(post(server.url)).status == 200


def test_a_url_that_cannot_be_called_is_not_sent(transport: Transport) -> None:
    with pytest.raises(RequestNotSent, match="connection failed"):
        transport.call(post("http://"))


@pytest.mark.parametrize("hang_up", [reset, socket.socket.close])
def test_a_connection_broken_before_the_last_byte_was_written_is_not_sent(
    transport: Transport, hang_up: Callable[[socket.socket], None]
) -> None:
    def behave(server: SocketServer, connection: socket.socket) -> None:
        connection.recv(1000)
        hang_up(connection)

    with serve(behave) as server, pytest.raises(RequestNotSent, match="could not be sent completely"):
        transport.call(post(server.url, body=BIG))


def test_a_server_that_stops_reading_a_big_request_is_not_sent(transport: Transport) -> None:
    done = threading.Event()

    def behave(server: SocketServer, connection: socket.socket) -> None:
        connection.recv(1000)
        done.wait(5)

    with serve(behave) as server:
        with pytest.raises(RequestNotSent):
            transport.call(post(server.url, body=BIG, timeout=(0.3, 0.3)))
        done.set()


class SlowReader:
    """A connection from which little is read in its first second."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        self._connection = connection
        self._slow_until = time.monotonic() + 1.0

    def recv(self, size: int) -> bytes:
        if time.monotonic() < self._slow_until:
            time.sleep(0.01)
            return self._connection.recv(4_096)
        return self._connection.recv(size)


@pytest.mark.parametrize("earlier_calls", [0, 1], ids=["new connection", "used connection"])
def test_a_body_on_a_slow_line_may_take_longer_than_connecting(transport: Transport, earlier_calls: int) -> None:
    def behave(server: SocketServer, connection: socket.socket) -> None:
        for _ in range(earlier_calls):
            read_request(server, connection)
            connection.sendall(OK)
        read_request(server, SlowReader(connection))
        connection.sendall(OK)

    with serve(behave) as server:
        for _ in range(earlier_calls):
            transport.call(post(server.url))
        answer = transport.call(post(server.url, body=BIG, timeout=(0.3, 30.0)))
        assert (answer.status, server.connections) == (200, 1)
        assert server.requests[-1].endswith(BIG)


@pytest.mark.parametrize("hang_up", [reset, socket.socket.close])
def test_a_connection_broken_after_the_request_was_read_is_ambiguous(
    transport: Transport, hang_up: Callable[[socket.socket], None]
) -> None:
    def behave(server: SocketServer, connection: socket.socket) -> None:
        read_request(server, connection)
        hang_up(connection)

    with serve(behave) as server:
        with pytest.raises(OutcomeUnknown, match="closed the connection"):
            transport.call(post(server.url, body=b"x" * 200_000))
        assert len(server.requests) == 1, "an ambiguous call must never be tried again by itself"


def test_silence_after_the_request_is_ambiguous(transport: Transport) -> None:
    done = threading.Event()

    def behave(server: SocketServer, connection: socket.socket) -> None:
        read_request(server, connection)
        done.wait(5)

    with serve(behave) as server:
        with pytest.raises(OutcomeUnknown, match="did not answer in time"):
            transport.call(post(server.url, timeout=(1.0, 0.2)))
        done.set()
        assert len(server.requests) == 1


def drip_after(start: bytes) -> Callable[[SocketServer, socket.socket], None]:
    def behave(server: SocketServer, connection: socket.socket) -> None:
        read_request(server, connection)
        connection.sendall(start)
        drip(server, connection)

    return behave


def test_a_status_line_of_one_byte_at_a_time_ends_at_the_deadline(transport: Transport) -> None:
    with serve(drip_after(b"HTTP/1.1 ")) as server:
        with pytest.raises(OutcomeUnknown, match=r"no full answer within 0\.6 seconds"):
            transport.call(post(server.url, timeout=(0.3, 0.3)))
        assert server.ended_drips == 0


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"])
def test_an_answer_of_one_byte_at_a_time_ends_at_the_deadline(transport: Transport, start: bytes) -> None:
    with serve(drip_after(start)) as server:
        answer = transport.call(post(server.url, timeout=(0.2, 1.0)))
        assert server.ended_drips == 0
    assert (answer.status, answer.complete) == (200, False)


def test_a_body_cut_short_is_marked_incomplete(transport: Transport) -> None:
    def behave(server: SocketServer, connection: socket.socket) -> None:
        read_request(server, connection)
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"id": "<1')

    with serve(behave) as server:
        answer = transport.call(post(server.url))
    assert (answer.status, answer.complete) == (200, False)


def test_an_answer_beyond_the_limit_is_cut_and_marked_incomplete() -> None:
    def behave(server: SocketServer, connection: socket.socket) -> None:
        read_request(server, connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + b"y" * 300_000)

    transport = Transport(max_response_bytes=100_000)
    with serve(behave) as server:
        answer = transport.call(post(server.url))
        transport.close()
    assert (len(answer.body), answer.complete) == (100_000, False)


def test_a_redirect_is_not_followed(transport: Transport) -> None:
    def behave(server: SocketServer, connection: socket.socket) -> None:
        read_request(server, connection)
        connection.sendall(f"HTTP/1.1 302 Found\r\nLocation: {server.url}/else\r\nContent-Length: 0\r\n\r\n".encode())

    with serve(behave) as server:
        assert transport.call(post(server.url)).status == 302
        assert len(server.requests) == 1


def test_proxy_settings_of_the_machine_are_not_used(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    with serve(answer_ok) as server:
        assert transport.call(post(server.url)).status == 200


def test_one_connection_serves_calls_that_follow_each_other(transport: Transport) -> None:
    with serve(answer_ok) as server:
        for _ in range(3):
            transport.call(post(server.url))
        assert server.connections == 1


def test_a_connection_to_the_wrong_server_is_not_used_again(transport: Transport) -> None:
    """The answer 421 says that this connection leads to a server that does not serve us."""

    def behave(server: SocketServer, connection: socket.socket) -> None:
        is_first = server.connections == 1
        while read_request(server, connection):
            connection.sendall(b"HTTP/1.1 421 Misdirected\r\nContent-Length: 2\r\n\r\n{}" if is_first else OK)

    with serve(behave) as server:
        assert [transport.call(post(server.url)).status for _ in range(3)] == [421, 200, 200]
        assert server.connections == 2


def test_a_connection_that_was_idle_too_long_is_not_used_again() -> None:
    transport = Transport(idle_seconds=0.0)
    with serve(answer_ok) as server:
        for _ in range(3):
            transport.call(post(server.url))
        assert server.connections == 3
        transport.close()


def test_a_connection_is_not_used_again_after_a_failed_call(transport: Transport) -> None:
    def behave(server: SocketServer, connection: socket.socket) -> None:
        read_request(server, connection)
        if server.connections > 1:
            connection.sendall(OK)

    with serve(behave) as server:
        with pytest.raises(OutcomeUnknown):
            transport.call(post(server.url))
        assert transport.call(post(server.url)).status == 200


def test_a_cookie_of_the_provider_is_not_sent_back(transport: Transport) -> None:
    def behave(server: SocketServer, connection: socket.socket) -> None:
        while read_request(server, connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nSet-Cookie: seen=1\r\nContent-Length: 2\r\n\r\n{}")

    with serve(behave) as server:
        transport.call(post(server.url))
        transport.call(post(server.url))
        assert b"cookie" not in server.requests[1].lower()


def test_threads_share_one_transport(transport: Transport) -> None:
    with serve(answer_ok) as server, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: transport.call(post(server.url)).status, range(64)))
    assert answers == [200] * 64


def test_a_closed_transport_can_be_used_again(transport: Transport) -> None:
    with serve(answer_ok) as server:
        transport.call(post(server.url))
        transport.close()
        assert transport.call(post(server.url)).status == 200


def test_a_call_without_a_body_that_fails_is_not_sent(transport: Transport) -> None:
    def behave(server: SocketServer, connection: socket.socket) -> None:
        read_request(server, connection)

    with serve(behave) as server, pytest.raises(RequestNotSent):
        transport.call(HttpRequest("GET", server.url, {}, b"", None, (1.0, 1.0)))


def test_a_body_is_written_in_large_pieces() -> None:
    content = bytes(range(256)) * 5_000
    pieces = list(CountingBody(content))
    assert b"".join(pieces) == content
    assert [len(piece) for piece in pieces] == [524_288, 524_288, 231_424]
