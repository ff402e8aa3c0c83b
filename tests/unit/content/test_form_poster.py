"""A form is posted once, within its limits, and its secret goes nowhere else."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from newsletter.content.fetching.errors import FetchError, Refused, TooLarge, TooSlow, Unreachable
from newsletter.content.fetching.fetcher import Limits
from newsletter.content.fetching.form_poster import PostAnswer, post_form, post_json
from tests.support.misbehaving_server import bomb, drip, misbehaving_server, respond

LIMITS = Limits(max_bytes=10_000, connect=1.0, first_byte=1.0, total=1.0)
HERE = ["127.0.0.1"]


def post(url: str, *, limits: Limits = LIMITS, allow: list[str] = HERE) -> PostAnswer:
    return post_form(url, {"a": "1 &"}, headers={"Authorization": "Basic x"}, allow=allow, limits=limits)


def test_the_answer_comes_back_whatever_its_status() -> None:
    with misbehaving_server() as server:
        server.routes["/token"] = respond(b'{"error": "no"}', status="400 Bad Request")
        answer = post(f"{server.url}/token")
        assert (answer.status, answer.body, answer.date) == (400, b'{"error": "no"}', None)
        [request] = server.requests
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.headers["authorization"] == "Basic x"


def test_a_redirect_is_not_followed() -> None:
    with misbehaving_server() as server:
        server.routes["/token"] = respond(status="302 Found", Location="/elsewhere")
        assert post(f"{server.url}/token").status == 302
        assert [one.path for one in server.requests] == ["/token"]


@pytest.mark.parametrize("before_headers", [True, False])
def test_an_answer_that_drips_ends_at_the_deadline(before_headers: bool) -> None:
    with misbehaving_server() as server:
        server.routes["/token"] = drip(server, before_headers=before_headers)
        with pytest.raises(TooSlow):
            post(f"{server.url}/token")


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_an_answer_that_grows_without_end_is_refused(encoding: str) -> None:
    with misbehaving_server() as server:
        server.routes["/token"] = bomb(encoding=encoding, megabytes=20)
        with pytest.raises(TooLarge):
            post(f"{server.url}/token", limits=replace(LIMITS, total=5.0))


def test_a_server_that_is_down_is_unreachable() -> None:
    with misbehaving_server() as server:
        url = f"{server.url}/token"
    with pytest.raises(Unreachable):
        post(url)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http://127.0.0.1/\n", "nonsense", "http://user:word@127.0.0.1/"])
def test_an_invalid_address_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        post(url)


def test_a_private_address_needs_to_be_allowed() -> None:
    with misbehaving_server() as server:
        with pytest.raises(FetchError):
            post(f"{server.url}/token", allow=[])
        assert server.requests == []


@pytest.mark.parametrize(
    ("header", "at"),
    [
        ("Thu, 01 Jan 2026 10:00:00 GMT", datetime(2026, 1, 1, 10, tzinfo=UTC)),
        ("Thu, 01 Jan 2026 10:00:00", datetime(2026, 1, 1, 10, tzinfo=UTC)),
        ("yesterday", None),
    ],
)
def test_json_is_posted_and_the_servers_clock_is_read(header: str, at: datetime | None) -> None:
    with misbehaving_server() as server:
        server.routes["/query"] = respond(b"{}", Date=header)
        answer = post_json(f"{server.url}/query", {"a": 1}, headers={}, allow=HERE, limits=LIMITS)
        [request] = server.requests
    assert (answer.status, answer.body, answer.date) == (200, b"{}", at)
    assert request.headers["content-type"] == "application/json"
