"""X11: web pages are read only where their site's robots.txt lets programs read them, and a host has one guest at a time."""

import threading
import time
from collections.abc import Iterator
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


def test_x11_a_page_that_programs_are_asked_not_to_read_is_refused_with_what_to_do(
    server: MisbehavingServer, fetcher: Fetcher
) -> None:
    server.routes["/robots.txt"] = respond(KEEP_OUT)
    robots = Robots()
    with pytest.raises(Refused, match=r"robots\.txt.*allow “newsletter”"):
        robots.check(f"{server.url}/private/story", fetcher=fetcher, now=NOW)
    robots.check(f"{server.url}/story", fetcher=fetcher, now=NOW)


def test_x11_rules_for_our_name_go_before_those_for_everybody(server: MisbehavingServer, fetcher: Fetcher) -> None:
    server.routes["/robots.txt"] = respond(
        b"\xef\xbb\xbfUser-agent: *\nDisallow: /\n\nUser-agent: newsletter\nDisallow:\n"
    )
    Robots().check(f"{server.url}/story", fetcher=fetcher, now=NOW)


def test_x11_rules_are_asked_for_once_a_day(server: MisbehavingServer, fetcher: Fetcher) -> None:
    server.routes["/robots.txt"] = respond(b"User-agent: *\nDisallow:\n")
    robots = Robots()
    for hours in (0, 1, 23, 25):
        robots.check(f"{server.url}/story", fetcher=fetcher, now=NOW + timedelta(hours=hours))
    assert len(server.requests) == 2
    robots.forget()
    robots.check(f"{server.url}/story", fetcher=fetcher, now=NOW + timedelta(hours=25))
    assert len(server.requests) == 3


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
def test_x11_a_site_without_rules_that_can_be_read_asks_for_nothing(
    server: MisbehavingServer, fetcher: Fetcher, answer: Answer
) -> None:
    server.routes["/robots.txt"] = answer
    Robots().check(f"{server.url}/story", fetcher=fetcher, now=NOW)


@pytest.mark.parametrize("status", ["503 Service Unavailable", "429 Too Many Requests"])
def test_x11_a_site_in_trouble_is_asked_again_later(server: MisbehavingServer, fetcher: Fetcher, status: str) -> None:
    server.routes["/robots.txt"] = respond(status=status)
    robots = Robots()
    with pytest.raises(BadStatus, match="tried again later"):
        robots.check(f"{server.url}/story", fetcher=fetcher, now=NOW)
    server.routes["/robots.txt"] = respond(b"")
    robots.check(f"{server.url}/story", fetcher=fetcher, now=NOW)


def test_x11_a_site_that_cannot_be_reached_is_said_to_be_so() -> None:
    with pytest.raises(Unreachable):
        Robots().check("http://127.0.0.1:9/story", fetcher=Fetcher(allow=["127.0.0.1"]), now=NOW)


def test_the_rules_of_a_thousand_sites_are_kept_and_no_more(
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


@pytest.mark.parametrize("kind", ["page", "events"])
def test_x11_pages_made_for_people_are_asked_about(server: MisbehavingServer, fetcher: Fetcher, kind: str) -> None:
    server.routes["/robots.txt"] = respond(KEEP_OUT)
    server.routes["/private/page"] = respond(PAGE, Content_Type="text/html")
    with pytest.raises(Refused, match="asks programs not to read"):
        read(kind, f"{server.url}/private/page", fetcher)
    assert paths(server) == ["/robots.txt"]


@pytest.mark.parametrize("kind", ["feed", "calendar", "wordpress"])
def test_x11_what_is_published_for_programs_is_read_without_asking(
    server: MisbehavingServer, fetcher: Fetcher, kind: str
) -> None:
    for path in ("/private/source", "/private/source/wp-json/wp/v2/posts"):
        server.routes[path] = respond(b"nothing of use")
    assert read(kind, f"{server.url}/private/source", fetcher)
    assert "/robots.txt" not in paths(server)


def test_x11_a_page_that_leads_to_one_that_is_closed_to_programs_is_not_used(
    server: MisbehavingServer, fetcher: Fetcher
) -> None:
    server.routes["/robots.txt"] = respond(KEEP_OUT)
    server.routes["/story"] = respond(status="302 Found", Location="/private/story")
    server.routes["/private/story"] = respond(PAGE, Content_Type="text/html")
    with pytest.raises(Refused, match="asks programs not to read"):
        read("page", f"{server.url}/story", fetcher)


def test_x11_a_host_has_one_guest_at_a_time(server: MisbehavingServer, fetcher: Fetcher) -> None:
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


def test_x11_who_waits_too_long_for_a_turn_tries_again_later(server: MisbehavingServer, fetcher: Fetcher) -> None:
    server.routes["/feed"] = respond(b"<rss/>")
    started = time.monotonic()
    with host_lock("127.0.0.1", timeout=1.0) as came:
        assert came
        with pytest.raises(TooSlow, match="tried again later"):
            fetcher.fetch(f"{server.url}/feed", limits=Limits(max_bytes=100, total=0.1))
    assert time.monotonic() - started < 2
    assert server.requests == []
    assert fetcher.fetch(f"{server.url}/feed").body == b"<rss/>"
