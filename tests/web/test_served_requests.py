"""Requests to a real `newsletter web` server: forged headers, odd paths, slow and large requests."""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from newsletter.management.server import CONNECTIONS
from newsletter.management.web_worker import HEADER_SECONDS
from tests.support.processes import wait_until
from tests.support.web_server import FilledDatabase, RunningWebServer, fill_database, read_all, serve_filled, status_of

SLOW = 60
MORE_THAN_THREADS = 30
MORE_THAN_CONNECTIONS = CONNECTIONS + 200


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> FilledDatabase:
    return fill_database(tmp_path_factory.mktemp("filled"), migrated=migrated_sqlite)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, filled: FilledDatabase) -> Iterator[RunningWebServer]:
    with serve_filled(tmp_path_factory.mktemp("served"), filled=filled) as server:
        yield server


@pytest.fixture(scope="module")
def behind_proxy(tmp_path_factory: pytest.TempPathFactory, filled: FilledDatabase) -> Iterator[RunningWebServer]:
    with serve_filled(
        tmp_path_factory.mktemp("proxied"), filled=filled, NEWSLETTER_TRUSTED_PROXIES="127.0.0.1"
    ) as server:
        yield server


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"SCRIPT_NAME": "/x"},
        {"SCRIPT_NAME": "/x/admin"},
        {"SCRIPT_NAME": "/accounts"},
        {"PATH_INFO": "/accounts/login/"},
        {"X-Script-Name": "/x"},
        {"X-Forwarded-Prefix": "/x"},
        {"X-Original-URL": "/accounts/login/"},
        {"X-Rewrite-URL": "/accounts/login/"},
    ],
)
@pytest.mark.parametrize("server", ["served", "behind_proxy"])
def test_no_header_opens_the_desk_without_a_second_factor(
    request: pytest.FixtureRequest, server: str, headers: dict[str, str]
) -> None:
    here: RunningWebServer = request.getfixturevalue(server)
    prefix = headers.get("SCRIPT_NAME", "")
    for path in ("/admin/issues/", f"{prefix}/admin/issues/", f"{prefix}/issues/"):
        status, text = here.ask(path, headers={"Cookie": here.known["cookie"], **headers})
        assert status in (302, 400, 404), (path, text[:300])
        assert status != 302 or "/accounts/" in text.split("\r\n\r\n")[0], (path, text[:300])


@pytest.mark.parametrize(
    "path",
    [
        "//admin/issues/",
        "/./admin/issues/",
        "/x/../admin/issues/",
        "/%2e/admin/issues/",
        "/x/%2e%2e/admin/issues/",
        "/%61dmin/issues/",
        "/admin%2fissues/",
        "/admin;x=1/issues/",
        "/admin/;/issues/",
        "/ADMIN/issues/",
        "/admin/login/../issues/",
        "/admin/login/%2e%2e/issues/",
        "/admin/sprite/..;/issues/",
        "/admin%00/issues/",
        "/admin\\issues/",
        "http://127.0.0.1/admin/issues/",
    ],
)
def test_no_spelling_of_a_path_opens_the_desk_without_a_second_factor(served: RunningWebServer, path: str) -> None:
    status, text = served.ask(path, headers={"Cookie": served.known["cookie"]})
    assert status in (301, 302, 400, 404), text[:300]
    assert "Waiting for approval" not in text
    if status == 302:
        assert "location: /accounts/" in text.lower(), text[:300]


@pytest.mark.parametrize("path", ["/admin/pages/", "/x/admin/pages/", "//admin/pages/", "/admin/%70ages/"])
def test_no_header_opens_closed_parts_of_the_desk(served: RunningWebServer, path: str) -> None:
    status, _ = served.ask(path, headers={"SCRIPT_NAME": "/x"})
    assert status == 404


def test_an_unsubscribe_link_works_with_a_forged_script_name(served: RunningWebServer) -> None:
    status, text = served.ask(
        served.known["leave"][0], method="POST", body=b"List-Unsubscribe=One-Click", headers={"SCRIPT_NAME": "/u"}
    )
    assert status == 200, text[:300]


def dribble(served: RunningWebServer, *, kind: str, stop: threading.Event, source: str, connected: set[int]) -> None:
    """One client that sends a byte now and then, and begins again when it is cut off. It keeps itself in ``connected``."""
    me = threading.get_ident()
    while not stop.is_set():
        try:
            with served.connect(source=source, timeout=5) as sock:
                if kind == "header":
                    sock.sendall(b"POST /my-mail HTTP/1.1\r\nHost: x\r\nX-Slow: ")
                elif kind == "body":
                    sock.sendall(b"POST /my-mail HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n")
                elif kind == "upload":
                    sock.sendall(
                        b"POST /admin/people/import/ HTTP/1.1\r\nHost: x\r\nCookie: csrftoken="
                        + b"a" * 32
                        + b"\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 9000000\r\n\r\n"
                    )
                elif kind == "pipelined":
                    sock.sendall(b"GET /look.css HTTP/1.1\r\nHost: x\r\n\r\nGET /look.css HTTP/1.1\r\nX-Slow: ")
                connected.add(me)
                while not stop.wait(0.5):
                    if kind != "silent":
                        sock.sendall(b"a")
        except OSError:
            connected.discard(me)
            stop.wait(0.2)


@pytest.mark.long
@pytest.mark.parametrize(
    ("kind", "source"),
    [
        ("header", "127.0.0.1"),
        ("header", "127.0.0.9"),
        ("body", "127.0.0.1"),
        ("upload", "127.0.0.9"),
        ("pipelined", "127.0.0.1"),
        ("silent", "127.0.0.1"),
    ],
)
def test_slow_clients_delay_neither_unsubscribing_nor_a_page(served: RunningWebServer, kind: str, source: str) -> None:
    stop, connected = threading.Event(), set[int]()
    known = {"served": served, "kind": kind, "stop": stop, "source": source, "connected": connected}
    clients = [threading.Thread(target=dribble, kwargs=known) for _ in range(SLOW)]
    for client in clients:
        client.start()
    try:
        for number in range(3):
            wait_until(lambda: len(connected) >= MORE_THAN_THREADS, what="enough slow clients")
            left, text = served.ask(served.known["leave"][number], method="POST", body=b"List-Unsubscribe=One-Click")
            shown, page = served.ask("/my-mail")
            assert (left, shown) == (200, 200), (text[:200], page[:200])
    finally:
        stop.set()
        for client in clients:
            client.join(10)


@pytest.mark.long
def test_a_request_that_takes_too_long_to_arrive_is_cut_off(served: RunningWebServer) -> None:
    with served.connect(timeout=30) as sock:
        sock.sendall(b"GET /my-mail HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        before = time.monotonic()
        assert status_of(read_all(sock)) == 408
        assert time.monotonic() - before > HEADER_SECONDS / 2


def test_a_body_that_arrives_in_pieces_is_read_whole(served: RunningWebServer) -> None:
    body = b"email=reader%40example.org"
    with served.connect() as sock:
        head = f"POST /my-mail HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
        for part in (
            head.encode(),
            b"Content-Type: application/x-www-form-urlencoded\r\n\r",
            b"\n",
            body[:9],
            body[9:],
        ):
            sock.sendall(part)
            time.sleep(0.1)
        assert status_of(read_all(sock)) in (200, 202)


def test_one_connection_serves_requests_one_after_another(served: RunningWebServer) -> None:
    request = b"GET /look.css HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET /look.css HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert served.send(request * 2 + last).count(b"HTTP/1.1 200") == 3


@pytest.mark.long
def test_a_client_that_expects_100_continue_gets_it(served: RunningWebServer) -> None:
    with served.connect() as sock:
        sock.sendall(
            f"POST {served.known['leave'][4]} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\n"
            "Content-Length: 26\r\n\r\n".encode()
        )
        assert sock.recv(100).startswith(b"HTTP/1.1 100 Continue\r\n")
        sock.sendall(b"List-Unsubscribe=One-Click")
        assert status_of(read_all(sock)) == 200


def test_unsubscribing_with_a_chunked_body_works(served: RunningWebServer) -> None:
    answer = served.send(
        f"POST {served.known['leave'][5]} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        "1a\r\nList-Unsubscribe=One-Click\r\n0\r\n\r\n".encode()
    )
    assert status_of(answer) == 200


@pytest.mark.parametrize("path", ["/my-mail", "/accounts/login/", "/join/weekly", "LEAVE", "/news/"])
def test_a_public_page_refuses_a_large_body_before_it_arrives(served: RunningWebServer, path: str) -> None:
    path = served.known["leave"][6] if path == "LEAVE" else path
    with served.connect() as sock:
        sock.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n".encode() + b"a" * 100)
        answer = read_all(sock)
    assert status_of(answer) == 413
    assert b"too large" in answer


@pytest.mark.long
def test_connections_of_one_address_are_limited(served: RunningWebServer) -> None:
    open_ones = [served.connect(source="127.0.0.8") for _ in range(80)]
    try:
        for sock in open_ones:
            sock.sendall(b"GET /my-mail HTTP/1.1\r\n")
        time.sleep(1)
        closed = 0
        for sock in open_ones:
            sock.settimeout(0.05)
            try:
                closed += not sock.recv(1)
            except ConnectionResetError:
                closed += 1
            except TimeoutError:
                pass
        assert 30 <= closed < 80
    finally:
        for sock in open_ones:
            sock.close()


@pytest.mark.long
def test_a_trusted_proxy_has_deadlines_but_no_limit_of_connections(behind_proxy: RunningWebServer) -> None:
    """Its connections carry many visitors, so the proxy limits each of them. Requests that never end are cut off here."""
    open_ones = [behind_proxy.connect() for _ in range(80)]
    try:
        for sock in open_ones:
            sock.sendall(b"GET /my-mail HTTP/1.1\r\nX-Forwarded-For: 192.0.2.7\r\n")
        time.sleep(1)
        assert behind_proxy.ask("/my-mail", timeout=10)[0] == 200
        for sock in open_ones:
            sock.setblocking(False)
            with pytest.raises(BlockingIOError):
                sock.recv(1)
        time.sleep(HEADER_SECONDS + 1)
        for sock in open_ones:
            sock.settimeout(5)
            assert status_of(read_all(sock)) == 408
    finally:
        for sock in open_ones:
            sock.close()


def test_more_requests_at_once_than_connections_are_all_answered(behind_proxy: RunningWebServer) -> None:
    path, body = behind_proxy.known["leave"][0], b"List-Unsubscribe=One-Click"
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    at_once = threading.Barrier(MORE_THAN_CONNECTIONS)

    def ask(_: int) -> int:
        at_once.wait()
        with behind_proxy.connect(timeout=60) as client:
            client.sendall(head.encode())
            client.sendall(body)  # many clients send the body by itself
            return status_of(read_all(client))

    with ThreadPoolExecutor(MORE_THAN_CONNECTIONS) as threads:
        assert set(threads.map(ask, range(MORE_THAN_CONNECTIONS))) == {200}


@pytest.mark.long
def test_the_server_stops_in_time_with_slow_clients(tmp_path: Path, filled: FilledDatabase) -> None:
    with serve_filled(tmp_path, filled=filled) as server:
        idle = [server.connect() for _ in range(10)]
        slow: list[socket.socket] = [server.connect() for _ in range(10)]
        for sock in slow:
            sock.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        assert server.process.terminate(within=25) == 0, server.process.said()
        for sock in idle + slow:
            sock.close()
