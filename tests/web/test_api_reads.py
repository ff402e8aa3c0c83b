"""One read of the API computes at a time, and none waits long for another."""

from collections.abc import Iterable
from threading import Event, Thread
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from newsletter.web.layers.api_reads import ApiReadMiddleware

SECONDS = 10


class _Pages:
    """Pages that say when a request has begun, and let it end when told."""

    def __init__(self) -> None:
        self.begun, self.may_end = Event(), Event()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"].endswith("slow"):
            self.begun.set()
            assert self.may_end.wait(SECONDS)
        if environ["PATH_INFO"].endswith("broken"):
            raise ValueError
        return [b"answer"]


def _start(_status: str, _headers: list[tuple[str, str]], *_error: object) -> object:
    raise AssertionError


def _get(pages: ApiReadMiddleware, path: str, method: str = "GET") -> Iterable[bytes]:
    return pages({"REQUEST_METHOD": method, "PATH_INFO": path}, _start)  # type: ignore[arg-type]


def test_a_read_waits_for_the_read_before_it() -> None:
    inner = _Pages()
    pages = ApiReadMiddleware(inner, max_wait_seconds=SECONDS)
    answered = Event()
    first = Thread(target=_get, args=(pages, "/api/v1/slow"))
    second = Thread(target=lambda: (_get(pages, "/api/v1/lists"), answered.set()))
    first.start()
    assert inner.begun.wait(SECONDS)
    second.start()
    assert not answered.wait(0.2)
    inner.may_end.set()
    first.join(SECONDS)
    assert answered.wait(SECONDS)
    second.join(SECONDS)


@pytest.mark.parametrize(
    ("path", "method"),
    [("/api/v1/lists", "GET"), ("/api/v1/people", "POST"), ("/u/a-link", "GET")],
    ids=["a read whose wait is over", "a change", "a page"],
)
def test_a_slow_read_does_not_hold_up(path: str, method: str) -> None:
    inner = _Pages()
    pages = ApiReadMiddleware(inner, max_wait_seconds=0.01 if path == "/api/v1/lists" else SECONDS)
    first = Thread(target=_get, args=(pages, "/api/v1/slow"))
    first.start()
    assert inner.begun.wait(SECONDS)
    assert _get(pages, path, method) == [b"answer"]
    assert first.is_alive()
    inner.may_end.set()
    first.join(SECONDS)


def test_a_read_that_fails_lets_the_next_one_begin() -> None:
    pages = ApiReadMiddleware(_Pages(), max_wait_seconds=0)
    with pytest.raises(ValueError):
        _get(pages, "/api/v1/broken")
    assert pages._lock.acquire(blocking=False)
