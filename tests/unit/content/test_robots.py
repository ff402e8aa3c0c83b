"""Web pages are read only if robots.txt allows it, and a host gets one request at a time."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.content.fetching.connections import host_lock
from newsletter.content.fetching.errors import BadStatus, Refused, TooSlow, Unreachable
from newsletter.content.fetching.fetcher import Fetcher, Limits
from newsletter.content.fetching.robots import Robots
from newsletter.content.ingesting.read_source import read_source
from newsletter.content.ingesting.read_source import robots as shared
from tests.support.misbehaving_server import Answer, MisbehavingServer, Request, misbehaving_server, respond

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
KEEP_OUT = b"User-agent: *\nDisallow: /private/\n"
PAGE = b"<html><head><title>A verdict</title></head><body><h1>A verdict</h1><p>What happened.</p></body></html>"


@pytest.fixture
def server() -> Iterator[MisbehavingServer]:
    with misbehaving_server() as running:
        yield running
    shared.forget()


@pytest.fixture
def fetcher(server: MisbehavingServer) -> Fetcher:
    return Fetcher(allow=[f"127.0.0.1:{server.port}"])


def paths(server: MisbehavingServer) -> list[str]:
    return [request.path for request in server.requests]


@pytest.mark.requirement("X11")
def test_a_disallowed_page_is_refused_with_advice(server: MisbehavingServer, fetcher: Fetcher) -> None:
    server.routes["/robots.txt"] = respond(KEEP_OUT)
    robots = Robots()
    with pytest.raises(Refused, match=r"robots\.txt.*allow “newsletter”"):
        robots.check(f"{server.url}/private/story", fetcher=fetcher, now=NOW)
    robots.check(f"{server.url}/story", fetcher=fetcher, now=NOW)


@pytest.mark.requirement("X11")
def test_rules_for_our_name_override_those_for_everybody(server: MisbehavingServer, fetcher: Fetcher) -> None:
    server.routes["/robots.txt"] = respond(
        b"\xef\xbb\xbfUser-agent: *\nDisallow: /\n\nUser-agent: newsletter\nDisallow:\n"
    )
    Robots().check(f"{server.url}/story", fetcher=fetcher, now=NOW)


@pytest.mark.requirement("X11")
def test_rules_are_fetched_once_a_day(server: MisbehavingServer, fetcher: Fetcher) -> None:
    server.routes["/robots.txt"] = respond(b"User-agent: *\nDisallow:\n")
    robots = Robots()
    for hours in (0, 1, 23, 25):
        robots.check(f"{server.url}/story", fetcher=fetcher, now=NOW + timedelta(hours=hours))
    assert len(server.requests) == 2
    robots.forget()
    robots.check(f"{server.url}/story", fetcher=fetcher, now=NOW + timedelta(hours=25))
    assert len(server.requests) == 3


@pytest.mark.requirement("X11")
@pytest.mark.parametrize(
    "answer",
    [
        respond(status="404 Not Found"),
        respond(status="403 Forbidden"),
        respond(b"<html>Our page</html>"),
        respond(b"User-agent: *\nDisallow: /\n" + b"#" * 600_000),
        respond(b"x", Content_Encoding="br"),
        respond(b"\xff\xfe\x00garbage"),
    ],
    ids=["none", "forbidden", "a page instead", "huge", "packed oddly", "garbage"],
)
def test_a_site_without_readable_rules_allows_everything(
    server: MisbehavingServer, fetcher: Fetcher, answer: Answer
) -> None:
    server.routes["/robots.txt"] = answer
    Robots().check(f"{server.url}/story", fetcher=fetcher, now=NOW)


@pytest.mark.requirement("X11")
@pytest.mark.parametrize("status", ["503 Service Unavailable", "429 Too Many Requests"])
def test_a_failing_site_is_asked_again_later(server: MisbehavingServer, fetcher: Fetcher, status: str) -> None:
    server.routes["/robots.txt"] = respond(status=status)
    robots = Robots()
    with pytest.raises(BadStatus, match="try again later"):
        robots.check(f"{server.url}/story", fetcher=fetcher, now=NOW)
    server.routes["/robots.txt"] = respond(b"")
    robots.check(f"{server.url}/story", fetcher=fetcher, now=NOW)


@pytest.mark.requirement("X11")
def test_an_unreachable_site_is_reported() -> None:
    with pytest.raises(Unreachable):
        Robots().check("http://127.0.0.1:9/story", fetcher=Fetcher(allow=["127.0.0.1"]), now=NOW)


def test_the_rules_of_at_most_1000_sites_are_kept(
    server: MisbehavingServer, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.content.fetching.robots._MAX_SITES", 1)
    with misbehaving_server() as other:
        everywhere = Fetcher(allow=["127.0.0.1"])
        robots = Robots()
        for site in (server, other, server):
            robots.check(f"{site.url}/story", fetcher=everywhere, now=NOW)
    assert paths(server) == ["/robots.txt", "/robots.txt"]


def read(kind: str, url: str, fetcher: Fetcher) -> str:
    reading = read_source(kind=kind, url=url, etag="", last_modified="", fetcher=fetcher, now=NOW)
    return reading.parsed.error


@pytest.mark.requirement("X11")
@pytest.mark.parametrize("kind", ["page", "events"])
def test_web_pages_are_checked(server: MisbehavingServer, fetcher: Fetcher, kind: str) -> None:
    server.routes["/robots.txt"] = respond(KEEP_OUT)
    server.routes["/private/page"] = respond(PAGE, Content_Type="text/html")
    with pytest.raises(Refused, match="asks programs not to read"):
        read(kind, f"{server.url}/private/page", fetcher)
    assert paths(server) == ["/robots.txt"]


@pytest.mark.requirement("X11")
@pytest.mark.parametrize("kind", ["feed", "calendar", "wordpress", "drupal", "mobilize"])
def test_feeds_and_calendars_are_read_without_a_check(server: MisbehavingServer, fetcher: Fetcher, kind: str) -> None:
    for path in ("", "/wp-json/wp/v2/posts", "/jsonapi/node/article"):
        server.routes[f"/private/source{path}"] = respond(b"nothing of use")
    assert read(kind, f"{server.url}/private/source", fetcher)
    assert "/robots.txt" not in paths(server)


@pytest.mark.requirement("X11")
def test_a_redirect_to_a_disallowed_page_is_refused(server: MisbehavingServer, fetcher: Fetcher) -> None:
    server.routes["/robots.txt"] = respond(KEEP_OUT)
    server.routes["/story"] = respond(status="302 Found", Location="/private/story")
    server.routes["/private/story"] = respond(PAGE, Content_Type="text/html")
    with pytest.raises(Refused, match="asks programs not to read"):
        read("page", f"{server.url}/story", fetcher)


@pytest.mark.requirement("X11")
def test_a_host_gets_one_request_at_a_time(server: MisbehavingServer, fetcher: Fetcher) -> None:
    inside: list[int] = []
    most: list[int] = []

    def answer(client: object, request: Request) -> None:
        inside.append(1)
        most.append(len(inside))
        server.wait(0.05)
        inside.pop()
        respond(b"<rss/>")(client, request)  # type: ignore[arg-type]

    server.routes["/feed"] = answer
    threads = [threading.Thread(target=fetcher.fetch, args=(f"{server.url}/feed",)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 5


@pytest.mark.requirement("X11")
def test_waiting_too_long_for_a_host_is_a_timeout(server: MisbehavingServer, fetcher: Fetcher) -> None:
    server.routes["/feed"] = respond(b"<rss/>")
    with ThreadPoolExecutor(1) as threads, host_lock("127.0.0.1", timeout=1.0) as came:
        assert came
        patient = threads.submit(fetcher.fetch, f"{server.url}/feed", limits=Limits(max_bytes=100, total=60.0))
        with pytest.raises(TooSlow, match="try again later"):
            fetcher.fetch(f"{server.url}/feed", limits=Limits(max_bytes=100, total=0.1))
        assert not patient.done()
        assert server.requests == []
    assert patient.result().body == b"<rss/>"
