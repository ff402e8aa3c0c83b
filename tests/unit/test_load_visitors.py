"""The visitors of the load test count every answer as an error that is not the one that they expect."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace

import orjson
import pytest
import requests

from benchmarks.load.figures import Moment, read_moments
from tests.support.misbehaving_server import MisbehavingServer, misbehaving_server, respond

ISSUE = "/admin/issues/1"
VISITS = {
    "cookie": "sessionid",
    "sessions": ["one"],
    "desk": {"wagtailadmin_home": "/admin/"},
    "public": {"/news/": "/news/"},
    "links": ["/u/link"],
    "issue": 1,
    "people": 10,
}


class Client(requests.Session):
    """Locust's session for its users: they decide which answers are failures."""

    def __init__(self, site: str) -> None:
        super().__init__()
        self.site = site
        self.failures: list[str] = []

    @contextmanager
    def request(  # type: ignore[override]
        self, method: str, url: str, *, name: str, catch_response: bool, **options: object
    ) -> Iterator[requests.Response]:
        answer = super().request(method, f"{self.site}{url}", timeout=10, **options)  # type: ignore[arg-type]
        answer.failure = lambda text: self.failures.append(f"{name} {text}")  # type: ignore[attr-defined]
        yield answer


class HttpUser:
    def __init__(self, site: str) -> None:
        self.client = Client(site)


@pytest.fixture
def walk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the visitors' module. Locust is in an environment of its own, so its four names are made here."""
    locust = ModuleType("locust")
    vars(locust).update(
        HttpUser=HttpUser,
        between=lambda *seconds: seconds,
        events=SimpleNamespace(request=SimpleNamespace(add_listener=_same)),
        task=lambda one: one if callable(one) else _same,
    )
    (tmp_path / "visits.json").write_bytes(orjson.dumps(VISITS))
    monkeypatch.setitem(sys.modules, "locust", locust)
    monkeypatch.delitem(sys.modules, "benchmarks.load.walk", raising=False)
    monkeypatch.setenv("LOAD_VISITS", str(tmp_path / "visits.json"))
    monkeypatch.setenv("LOAD_READERS", "1")
    monkeypatch.setenv("LOAD_START", "0")
    monkeypatch.setenv("LOAD_ANSWERS", str(tmp_path / "answers.csv"))
    return import_module("benchmarks.load.walk")


def _same(function: object) -> object:
    return function


@pytest.fixture
def server() -> Iterator[MisbehavingServer]:
    with misbehaving_server() as site:
        site.routes["/elsewhere/"] = respond(b"a page")
        yield site


@pytest.mark.parametrize(
    ("status", "failures"),
    [
        ("200 OK", []),
        ("204 No Content", ["one-click unsubscribe answered with 204"]),
        ("302 Found", ["one-click unsubscribe answered with 302 /elsewhere/"]),
        ("503 Service Unavailable", ["one-click unsubscribe answered with 503"]),
    ],
)
def test_a_one_click_unsubscribe_is_answered_with_a_page(
    walk: ModuleType, server: MisbehavingServer, status: str, failures: list[str]
) -> None:
    location = {"Location": "/elsewhere/"} if status.startswith("302") else {}
    server.routes["/u/link"] = respond(status=status, **location)
    reader = walk.Reader(server.url)
    reader.unsubscribe()
    reader.unsubscribe()
    assert reader.client.failures == failures
    assert [request.path for request in server.requests] == ["/u/link"]


@pytest.mark.parametrize(
    ("status", "location", "failures"),
    [
        ("302 Found", f"{ISSUE}/overview/", []),
        ("302 Found", "/accounts/login/", ["Send now answered with 302 /accounts/login/"]),
        ("200 OK", f"{ISSUE}/overview/", [f"Send now answered with 200 {ISSUE}/overview/"]),
    ],
)
def test_a_send_starts_if_the_answer_leads_to_the_overview(
    walk: ModuleType, server: MisbehavingServer, status: str, location: str, failures: list[str]
) -> None:
    server.routes[f"{ISSUE}/send/start/sure/"] = respond(b"sure?", Set_Cookie="csrftoken=token; Path=/")
    server.routes[f"{ISSUE}/send/start/"] = respond(status=status, Location=location)
    sender = walk.Sender(server.url)
    sender.on_start()
    assert sender.client.failures == failures


def test_a_page_that_leads_elsewhere_is_an_error(walk: ModuleType, server: MisbehavingServer) -> None:
    server.routes["/news/"] = respond(status="302 Found", Location="/elsewhere/")
    reader = walk.Reader(server.url)
    reader.read()
    assert reader.client.failures == ["/news/ answered with 302 /elsewhere/"]


def test_each_answer_is_a_line_that_the_report_can_read(walk: ModuleType, tmp_path: Path) -> None:
    walk.write_answer(start_time=100.5, response_time=40.0, name="home", exception=None, url="/admin/")
    walk.write_answer(start_time=101.0, response_time=60.0, name="home", exception=ValueError(), url="/admin/")
    assert read_moments(tmp_path / "answers.csv") == [Moment(0, 2, 1, 60, 60, "home", 60)]
