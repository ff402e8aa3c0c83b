"""The fetcher against misbehaving servers on loopback."""

import errno
import resource
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from newsletter.content.fetching.errors import (
    BadStatus,
    FetchError,
    HostNotFound,
    Refused,
    TooLarge,
    TooSlow,
    Unreachable,
)
from newsletter.content.fetching.fetcher import FEED, Fetcher, Limits, resolve_host
from tests.support.misbehaving_server import (
    MisbehavingServer,
    bomb,
    drip,
    endless_headers,
    gzipped,
    misbehaving_server,
    respond,
)
from tests.support.name_lookups import fail_lookups

QUICK = Limits(max_bytes=1024 * 1024, connect=1.0, first_byte=0.5, total=1.0)


@pytest.fixture
def server() -> Iterator[MisbehavingServer]:
    with misbehaving_server() as running:
        yield running


@pytest.fixture
def fetcher(server: MisbehavingServer) -> Fetcher:
    return Fetcher(allow=[f"127.0.0.1:{server.port}"])


def test_a_document_comes_with_its_type_and_validators(server: MisbehavingServer, fetcher: Fetcher) -> None:
    server.routes["/feed"] = respond(
        b"<rss/>", Content_Type="text/xml", ETag='"a1"', Last_Modified="Mon, 02 Nov 2026 09:00:00 GMT"
    )
    fetched = fetcher.fetch(f"{server.url}/feed#top")
    assert (fetched.status, fetched.body, fetched.content_type) == (200, b"<rss/>", "text/xml")
    assert (fetched.etag, fetched.last_modified) == ('"a1"', "Mon, 02 Nov 2026 09:00:00 GMT")
    assert fetched.url == f"{server.url}/feed"
    assert not fetched.not_modified


@pytest.mark.requirement("X11")
def test_the_second_request_is_conditional(server: MisbehavingServer, fetcher: Fetcher) -> None:
    server.routes["/feed"] = respond(status="304 Not Modified", ETag='"a1"')
    fetched = fetcher.fetch(f"{server.url}/feed", etag='"a1"', last_modified="Mon, 02 Nov 2026 09:00:00 GMT")
    assert fetched.not_modified
    assert fetched.body == b""
    assert server.requests[0].headers["if-none-match"] == '"a1"'
    assert server.requests[0].headers["if-modified-since"] == "Mon, 02 Nov 2026 09:00:00 GMT"


def test_not_modified_is_an_error_for_an_unconditional_request(server: MisbehavingServer, fetcher: Fetcher) -> None:
    server.routes["/feed"] = respond(status="304 Not Modified")
    with pytest.raises(BadStatus):
        fetcher.fetch(f"{server.url}/feed")


@pytest.mark.requirement("X2")
def test_no_cookies_proxies_or_log_ins_are_used(
    server: MisbehavingServer, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    server.routes["/a"] = respond(status="302 Found", Location="/b", Set_Cookie="id=1")
    server.routes["/b"] = respond(b"here")
    assert fetcher.fetch(f"{server.url}/a").body == b"here"
    assert not {"cookie", "authorization", "proxy-authorization"} & set(server.requests[1].headers)


@pytest.mark.requirement("X2")
def test_a_host_is_refused_if_one_of_its_addresses_is_private(server: MisbehavingServer) -> None:
    fetcher = Fetcher(resolve=lambda host, port: ["93.184.215.14", "::1"])
    with pytest.raises(Refused, match=r"private network address \(::1\)"):
        fetcher.fetch("http://news.example/feed")
    assert server.requests == []


@pytest.mark.requirement("X2")
def test_it_connects_to_the_checked_address_if_the_name_changes(
    server: MisbehavingServer,
) -> None:
    answers = iter([["127.0.0.1"], ["93.184.215.14"]])
    fetcher = Fetcher(allow=[f"news.example:{server.port}"], resolve=lambda host, port: next(answers))
    server.routes["/feed"] = respond(b"pinned")
    fetched = fetcher.fetch(f"http://news.example:{server.port}/feed")
    assert fetched.body == b"pinned"
    assert server.requests[0].headers["host"] == f"news.example:{server.port}"
    assert next(answers) == ["93.184.215.14"], "the name was resolved a second time"


@pytest.mark.requirement("X2")
def test_a_name_that_becomes_private_on_a_redirect_is_refused(server: MisbehavingServer) -> None:
    answers = iter([["127.0.0.1"], ["10.0.0.7"]])
    fetcher = Fetcher(allow=["127.0.0.1"], resolve=lambda host, port: next(answers))
    server.routes["/a"] = respond(status="302 Found", Location="/b")
    server.routes["/b"] = respond(b"secret")
    with pytest.raises(Refused):
        fetcher.fetch(f"http://rebinding.example:{server.port}/a")
    assert [request.path for request in server.requests] == ["/a"]


@pytest.mark.requirement("X4")
@pytest.mark.requirement("X2")
@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.2/",
        "http://[::1]/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://127.1/",
        "http://0177.0.0.1/",
        "http://user:secret@127.0.0.1/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "gopher://127.0.0.1/",
        "http://127.0.0.1:22/",
        "http://[::ffff:127.0.0.1]/",
        "//[",
    ],
)
def test_a_redirect_is_checked_like_the_first_address(server: MisbehavingServer, fetcher: Fetcher, target: str) -> None:
    server.routes["/a"] = respond(status="302 Found", Location=target)
    with pytest.raises(Refused):
        fetcher.fetch(f"{server.url}/a")
    assert len(server.requests) == 1


@pytest.mark.requirement("X1")
@pytest.mark.parametrize(
    "target",
    [
        "/etc/passwd",
        "file:///etc/passwd",
        "news.example/feed",
        "javascript:alert(1)",
        "",
        "http://",
        "http://[",
        "http://a b/",
    ],
)
def test_only_web_addresses_are_fetched(target: str) -> None:
    with pytest.raises(Refused):
        Fetcher().fetch(target)


@pytest.mark.requirement("X4")
@pytest.mark.parametrize(
    "target",
    [
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://①②⑦.⓪.⓪.①/",
        "http://localhost/",
        "http://localhost./",
    ],
)
def test_any_spelling_of_a_private_address_is_refused(target: str) -> None:
    with pytest.raises(Refused, match="private network"):
        Fetcher().fetch(target)


def test_up_to_three_redirects_are_followed(server: MisbehavingServer, fetcher: Fetcher) -> None:
    for number in range(3):
        server.routes[f"/{number}"] = respond(status="301 Moved", Location=f"/{number + 1}")
    server.routes["/3"] = respond(b"at last")
    fetched = fetcher.fetch(f"{server.url}/0")
    assert fetched.body == b"at last"
    assert fetched.url == f"{server.url}/3"


@pytest.mark.requirement("X5")
def test_a_redirect_loop_ends(server: MisbehavingServer, fetcher: Fetcher) -> None:
    server.routes["/a"] = respond(status="301 Moved", Location="/a")
    with pytest.raises(Refused, match="more than 3 times"):
        fetcher.fetch(f"{server.url}/a")
    assert len(server.requests) == 4


def test_a_redirect_without_a_target_is_reported(server: MisbehavingServer, fetcher: Fetcher) -> None:
    server.routes["/a"] = respond(status="302 Found")
    with pytest.raises(Unreachable, match="without a new address"):
        fetcher.fetch(f"{server.url}/a")


@pytest.mark.requirement("X5")
def test_a_large_document_is_refused_at_the_limit(server: MisbehavingServer, fetcher: Fetcher) -> None:
    server.routes["/declared"] = respond(b"x" * (2 * 1024 * 1024))
    with pytest.raises(TooLarge, match="1 MB"):
        fetcher.fetch(f"{server.url}/declared", limits=QUICK)

    def undeclared(client, request):  # type: ignore[no-untyped-def]
        client.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        for _ in range(200):
            client.sendall(b"x" * 65536)

    server.routes["/undeclared"] = undeclared
    with pytest.raises(TooLarge):
        fetcher.fetch(f"{server.url}/undeclared", limits=QUICK)


@pytest.mark.requirement("X5")
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_decompression_bomb_is_refused_at_the_limit(
    server: MisbehavingServer, fetcher: Fetcher, encoding: str
) -> None:
    server.routes["/bomb"] = bomb(encoding=encoding, megabytes=200)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(TooLarge):
        fetcher.fetch(f"{server.url}/bomb", limits=FEED)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 64 * 1024, f"memory grew by {grown} KiB"


def test_a_compressed_document_is_decompressed(server: MisbehavingServer, fetcher: Fetcher) -> None:
    body = b"<rss>" + b"news " * 10_000 + b"</rss>"
    server.routes["/feed"] = gzipped(body)
    assert fetcher.fetch(f"{server.url}/feed").body == body


def test_an_unknown_compression_is_refused(server: MisbehavingServer, fetcher: Fetcher) -> None:
    server.routes["/feed"] = respond(b"\x0b\x02\x80hello\x03", Content_Encoding="br")
    with pytest.raises(Refused, match="br"):
        fetcher.fetch(f"{server.url}/feed")
    assert server.requests[0].headers["accept-encoding"] == "gzip, deflate"


def test_damaged_compression_is_reported(server: MisbehavingServer, fetcher: Fetcher) -> None:
    server.routes["/feed"] = respond(b"this is not gzip", Content_Encoding="gzip")
    with pytest.raises(Unreachable, match="damaged"):
        fetcher.fetch(f"{server.url}/feed")


def test_compressed_data_that_breaks_off_is_reported(server: MisbehavingServer, fetcher: Fetcher) -> None:
    packed = bytes(bytearray(__import__("gzip").compress(b"x" * 1000))[:-12])
    server.routes["/feed"] = respond(packed, Content_Encoding="gzip")
    with pytest.raises(Unreachable, match="broke off"):
        fetcher.fetch(f"{server.url}/feed")


@pytest.mark.requirement("X5")
def test_an_answer_shorter_than_its_length_is_an_error(server: MisbehavingServer, fetcher: Fetcher) -> None:
    server.routes["/feed"] = respond(b"<rss>", length=5000)
    with pytest.raises(Unreachable):
        fetcher.fetch(f"{server.url}/feed")


@pytest.mark.requirement("X5")
@pytest.mark.parametrize("before_headers", [True, False])
def test_a_slow_server_is_stopped_at_the_deadline(
    server: MisbehavingServer, fetcher: Fetcher, before_headers: bool
) -> None:
    """The server itself would end the answer after some seconds, and the page would be read or be another error."""
    server.routes["/drip"] = drip(server, before_headers=before_headers)
    with pytest.raises(TooSlow):
        fetcher.fetch(f"{server.url}/drip", limits=QUICK)


@pytest.mark.requirement("X5")
def test_a_silent_server_is_stopped_at_the_deadline(server: MisbehavingServer, fetcher: Fetcher) -> None:
    """The server itself would hang up after some seconds, which is another error."""
    server.routes["/mute"] = lambda client, request: server.wait(8) and None
    with pytest.raises(TooSlow):
        fetcher.fetch(f"{server.url}/mute", limits=QUICK)


@pytest.mark.requirement("X5")
def test_endless_headers_are_stopped(server: MisbehavingServer, fetcher: Fetcher) -> None:
    server.routes["/headers"] = endless_headers(server)
    with pytest.raises(Unreachable):
        fetcher.fetch(f"{server.url}/headers", limits=QUICK)


def test_an_answer_that_is_not_http_is_reported(server: MisbehavingServer, fetcher: Fetcher) -> None:
    server.routes["/odd"] = lambda client, request: client.sendall(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
    with pytest.raises(Unreachable):
        fetcher.fetch(f"{server.url}/odd", limits=QUICK)


def test_a_closed_port_is_reported() -> None:
    with misbehaving_server() as server:
        port = server.port
    with pytest.raises(Unreachable, match="cannot be reached"):
        Fetcher(allow=["127.0.0.1"]).fetch(f"http://127.0.0.1:{port}/")


def test_a_server_without_a_valid_certificate_is_refused(server: MisbehavingServer) -> None:
    with pytest.raises(FetchError):
        Fetcher(allow=["127.0.0.1"]).fetch(f"https://127.0.0.1:{server.port}/", limits=QUICK)


@pytest.mark.parametrize("code", [socket.EAI_NONAME, socket.EAI_NODATA])
def test_an_unknown_host_name_is_reported(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    fail_lookups(monkeypatch, code)
    with pytest.raises(HostNotFound, match=r"closed or moved\. Check the address"):
        resolve_host("no-such-host.invalid", 80)


@pytest.mark.parametrize("code", [socket.EAI_AGAIN, socket.EAI_FAIL, errno.EMFILE])
def test_a_failure_of_dns_is_no_unknown_host(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    fail_lookups(monkeypatch, code)
    with pytest.raises(Unreachable, match=r"news\.example cannot be looked up in DNS") as raised:
        resolve_host("news.example", 80)
    assert not isinstance(raised.value, HostNotFound)


def test_an_invalid_host_name_is_reported() -> None:
    with pytest.raises(Unreachable):
        resolve_host("a" * 70 + ".example", 80)


def test_a_host_without_any_address_is_refused() -> None:
    with pytest.raises(Refused, match="has no address"):
        Fetcher(resolve=lambda host, port: []).fetch("http://news.example/")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("401 No", "sign-in"),
        ("403 No", "refuses"),
        ("404 No", "nothing.* Check the address"),
        ("410 No", "removed.* Use another one"),
        ("500 No", "internal error"),
        ("418 No", "did not give"),
    ],
)
def test_each_error_status_is_explained(server: MisbehavingServer, fetcher: Fetcher, status: str, words: str) -> None:
    server.routes["/feed"] = respond(b"<html>error</html>", status=status)
    with pytest.raises(BadStatus, match=words) as caught:
        fetcher.fetch(f"{server.url}/feed")
    assert caught.value.status == int(status[:3])
    assert caught.value.retry_after is None


@pytest.mark.requirement("X11")
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        ("99999999999", 7 * 24 * 3600),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("soon", None),
        ("Wed, 21 Oct 2015 07:28:00 -0000", 0),
    ],
)
def test_the_retry_after_of_a_busy_site_is_kept(
    server: MisbehavingServer, fetcher: Fetcher, header: str, seconds: int | None
) -> None:
    server.routes["/feed"] = respond(status="429 Too Many Requests", Retry_After=header)
    with pytest.raises(BadStatus, match="less often") as caught:
        fetcher.fetch(f"{server.url}/feed")
    assert caught.value.retry_after == seconds


def test_https_never_redirects_to_http(monkeypatch: pytest.MonkeyPatch) -> None:
    fetcher = Fetcher()
    monkeypatch.setattr(fetcher, "_request", lambda url, headers, **limits: "http://news.example/")
    with pytest.raises(Refused, match="secure address"):
        fetcher.fetch("https://news.example/feed")


def test_the_time_of_earlier_redirects_counts(server: MisbehavingServer, fetcher: Fetcher) -> None:
    def slow_redirect(client, request):  # type: ignore[no-untyped-def]
        server.wait(0.4)
        respond(status="302 Found", Location="/a")(client, request)

    server.routes["/a"] = slow_redirect
    limits = Limits(max_bytes=1000, connect=1, first_byte=1, total=0.9)
    with pytest.raises(TooSlow):
        fetcher.fetch(f"{server.url}/a", limits=limits)


def test_the_time_to_resolve_names_counts(server: MisbehavingServer) -> None:
    def slow(host: str, port: int) -> list[str]:
        server.wait(0.3)
        return ["127.0.0.1"]

    with pytest.raises(TooSlow):
        Fetcher(allow=["127.0.0.1"], resolve=slow).fetch(f"{server.url}/", limits=Limits(max_bytes=10, total=0.1))


def test_the_second_address_is_tried_if_the_first_is_dead(server: MisbehavingServer) -> None:
    fetcher = Fetcher(allow=["127.0.0.0/8"], resolve=lambda host, port: ["127.0.0.9", "127.0.0.1"])
    server.routes["/"] = respond(b"second")
    assert fetcher.fetch(f"http://news.example:{server.port}/").body == b"second"


def test_no_thread_is_left_behind(server: MisbehavingServer, fetcher: Fetcher) -> None:
    server.routes["/feed"] = respond(b"x")
    before = set(threading.enumerate())
    fetcher.fetch(f"{server.url}/feed")
    time.sleep(0.05)
    assert not [thread for thread in set(threading.enumerate()) - before if isinstance(thread, threading.Timer)]


@pytest.mark.parametrize(
    ("tag", "asked"),
    [
        ('W/"abc-gzip"', 'W/"abc-gzip", W/"abc"'),
        ('"abc;gzip"', '"abc;gzip", "abc"'),
        ('"abc"', '"abc"'),
        ('W/"gzip-abc"', 'W/"gzip-abc"'),
    ],
)
def test_an_etag_with_a_compression_suffix_is_recognised(
    server: MisbehavingServer, fetcher: Fetcher, tag: str, asked: str
) -> None:
    server.routes["/feed"] = respond(b"", status="304 Not Modified")
    assert fetcher.fetch(f"{server.url}/feed", etag=tag).not_modified
    assert server.requests[-1].headers["if-none-match"] == asked


@pytest.mark.parametrize("scheme", ["webcal", "WEBCAL"])
def test_a_calendar_address_uses_http_if_https_fails(server: MisbehavingServer, fetcher: Fetcher, scheme: str) -> None:
    server.routes["/c.ics"] = respond(b"BEGIN:VCALENDAR")
    fetched = fetcher.fetch(f"{scheme}://127.0.0.1:{server.port}/c.ics", limits=QUICK)
    assert (fetched.url, fetched.body) == (f"{server.url}/c.ics", b"BEGIN:VCALENDAR")


def test_a_secure_calendar_address_never_uses_http(server: MisbehavingServer, fetcher: Fetcher) -> None:
    server.routes["/c.ics"] = respond(b"BEGIN:VCALENDAR")
    with pytest.raises(FetchError):
        fetcher.fetch(f"webcals://127.0.0.1:{server.port}/c.ics", limits=QUICK)


def test_a_calendar_address_reaches_no_private_network() -> None:
    with pytest.raises(Refused, match="private network"):
        Fetcher().fetch("webcal://127.0.0.1/c.ics")


def test_the_accept_header_names_the_wanted_media_types(server: MisbehavingServer, fetcher: Fetcher) -> None:
    server.routes["/c"] = respond(b"BEGIN:VCALENDAR")
    fetcher.fetch(f"{server.url}/c", accept="text/calendar, */*;q=0.1")
    assert server.requests[0].headers["accept"] == "text/calendar, */*;q=0.1"
