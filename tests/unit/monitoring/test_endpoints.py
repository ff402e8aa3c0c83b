"""/healthz, /readyz and /metrics answer according to the caller."""

from typing import Any

import orjson
import pytest
from django.conf import LazySettings

from newsletter.monitoring import readiness
from newsletter.web.layers import monitoring_endpoints as endpoints
from newsletter.web.layers.monitoring_endpoints import MonitoringMiddleware
from newsletter.web.layers.request_timing import RequestTimingMiddleware, find_area

TOKEN = "a-token-of-thirty-two-characters-or-more"


def call(path: str, *, method: str = "GET", pages: Any = None, **environ: str) -> tuple[int, dict[str, str], bytes]:
    """Return the status, the headers and the body of an answer."""
    seen: list[Any] = []
    app = MonitoringMiddleware(pages or (lambda environ, start: pytest.fail("it went on to the pages")))
    whole = {"REQUEST_METHOD": method, "PATH_INFO": path, "REMOTE_ADDR": "127.0.0.1", **environ}
    body = b"".join(app(whole, lambda status, headers, *error: seen.append((status, headers))))
    return int(seen[0][0][:3]), dict(seen[0][1]), body


@pytest.fixture
def metrics(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> LazySettings:
    monkeypatch.setattr(endpoints, "write_metrics", lambda: b"newsletter_held 0.0\n")
    settings.NEWSLETTER_METRICS_TOKEN = ""
    return settings


def test_healthz_answers_without_a_database() -> None:
    status, headers, body = call("/healthz")
    assert (status, orjson.loads(body)["code"]) == (200, "alive")
    assert headers["Cache-Control"] == "no-store"


def test_head_has_the_headers_and_no_body() -> None:
    status, headers, body = call("/healthz", method="HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["Content-Length"]) > 0


@pytest.mark.parametrize("path", endpoints.PATHS)
def test_other_methods_are_refused(path: str) -> None:
    status, headers, _ = call(path, method="POST")
    assert (status, headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("found", [readiness.UNREACHABLE, readiness.NOT_MIGRATED, readiness.OTHER_KEY])
def test_readyz_says_503_with_a_code_and_a_sentence(
    found: readiness.Readiness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "get_readiness", lambda: found)
    status, _, body = call("/readyz")
    assert status == 503
    assert orjson.loads(body) == {"code": found.code, "message": found.message}
    assert found.message.endswith((".", "migrate"))


def test_a_database_that_does_not_answer_in_time_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hanging:
        def get(self, *, within: float) -> None:
            return None

    monkeypatch.setattr(readiness, "_shared", Hanging())
    assert readiness.get_readiness() is readiness.UNREACHABLE


def test_metrics_are_for_this_machine_without_a_token(metrics: LazySettings) -> None:
    for address in ("127.0.0.1", "::1", "127.8.9.10"):
        assert call("/metrics", REMOTE_ADDR=address)[0] == 200


@pytest.mark.parametrize(
    "environ",
    [
        {"REMOTE_ADDR": "192.0.2.7"},
        {"REMOTE_ADDR": ""},
        {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
        {"HTTP_FORWARDED": "for=127.0.0.1"},
        {"HTTP_X_REAL_IP": "127.0.0.1"},
        {"HTTP_VIA": "1.1 proxy"},
    ],
)
def test_metrics_are_not_for_strangers_nor_for_a_proxy(metrics: LazySettings, environ: dict[str, str]) -> None:
    status, _, body = call("/metrics", **environ)
    assert (status, orjson.loads(body)["code"]) == (403, "not_from_here")


def test_with_a_token_everybody_needs_it_also_this_machine(metrics: LazySettings) -> None:
    metrics.NEWSLETTER_METRICS_TOKEN = TOKEN
    for given in ("", "Bearer", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \xe9"):
        status, headers, body = call("/metrics", HTTP_AUTHORIZATION=given)
        assert (status, headers["WWW-Authenticate"]) == (401, "Bearer"), given
        assert TOKEN.encode() not in body
    assert call("/metrics", HTTP_AUTHORIZATION=f"Bearer {TOKEN}", REMOTE_ADDR="192.0.2.7")[0] == 200


def test_every_other_path_reaches_the_pages() -> None:
    def pages(environ: Any, start: Any) -> list[bytes]:
        start("200 OK", [])
        return [environ["PATH_INFO"].encode()]

    for path in ("/", "/healthz/", "/metricsx", "/admin/"):
        assert call(path, pages=pages)[2] == path.encode()


def test_a_request_is_measured_by_the_part_of_the_site(monkeypatch: pytest.MonkeyPatch) -> None:
    noted: list[tuple[str, int]] = []
    monkeypatch.setattr(
        "newsletter.web.layers.request_timing.observe_request",
        lambda *, area, status, seconds: noted.append((area, status)),
    )

    def pages(environ: Any, start: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/api/fails":
            raise RuntimeError
        start("404 Not Found", [])
        return []

    app = RequestTimingMiddleware(pages)
    for path in ("/u/a-secret-token", "/reader@example.org", "/metrics"):
        list(app({"PATH_INFO": path}, lambda *started: None))
    with pytest.raises(RuntimeError):
        app({"PATH_INFO": "/api/fails"}, lambda *started: None)
    assert noted == [("unsubscribe", 404), ("public", 404), ("api", 500)]


def test_an_area_never_contains_the_path() -> None:
    assert {find_area(path) for path in ("/someone@example.org/x", "//admin", "")} == {"public", "desk"}
