"""Measure one-click unsubscribing: POSTs to one web server process, which commits each before it answers."""

import selectors
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import quantiles
from urllib.parse import urlsplit

from django.conf import settings

from newsletter.bench.audience import make_audience
from newsletter.bench.errors import NotMeasured
from newsletter.bench.serving.web import serve_web
from subscribers.links.signed_links import Purpose, Signer, link_keys
from subscribers.models import Subscriber, Subscription

CONNECTIONS = 32
_BODY = b"List-Unsubscribe=One-Click"


@dataclass(frozen=True)
class UnsubscribeFigures:
    """POSTs a second from the first request to the last answer, and the milliseconds until one was answered."""

    people: int
    processes: int
    connections: int
    posts_per_second: float
    middle_ms: float
    p95_ms: float
    slowest_ms: float


def measure_unsubscribing(*, people: int = 5_000) -> UnsubscribeFigures:
    """Unsubscribe everybody of a list by link, through the server of `newsletter serve`. Raise NotMeasured on an error."""
    publication = make_audience(people)
    mailing_list = publication.mailing_list
    signer = Signer(link_keys(), site_url=settings.SUBSCRIBERS_SITE_URL, issued=datetime.now(UTC))
    make = signer.maker(Purpose.UNSUBSCRIBE, bytes.fromhex(mailing_list.public_id))
    uuids = [uuid.bytes for uuid in Subscriber.objects.values_list("uuid", flat=True)]
    paths = [urlsplit(url).path for url in make(uuids)]
    with serve_web() as port:
        _post([paths.pop()], port=port)
        started = time.perf_counter()
        took = _post(paths, port=port)
        seconds = time.perf_counter() - started
    if Subscription.objects.open().exists():
        raise NotMeasured("Some people who unsubscribed are still on the list.")
    cuts = quantiles(took, n=100)
    return UnsubscribeFigures(
        people=len(paths),
        processes=1,
        connections=CONNECTIONS,
        posts_per_second=round(len(paths) / seconds),
        middle_ms=round(cuts[49] * 1000, 1),
        p95_ms=round(cuts[94] * 1000, 1),
        slowest_ms=round(max(took) * 1000, 1),
    )


def _post(paths: list[str], *, port: int) -> list[float]:
    """Post each path once, over open connections with one request at a time. Return the seconds until each answer."""
    waiting = iter(paths)
    took: list[float] = []
    with selectors.DefaultSelector() as selector:
        for _ in range(min(CONNECTIONS, len(paths))):
            _next(selector, socket.create_connection(("127.0.0.1", port), timeout=30), waiting)
        while selector.get_map():
            ready = selector.select(timeout=30)
            if not ready:
                raise NotMeasured("The measured web server no longer answers.")
            for key, _ in ready:
                began, got = key.data
                opened: socket.socket = key.fileobj  # type: ignore[assignment]
                got += opened.recv(65_536)
                if not _is_whole(got):
                    selector.modify(opened, selectors.EVENT_READ, (began, got))
                    continue
                if not got.startswith(b"HTTP/1.1 200 "):
                    raise NotMeasured(f"A one-click POST was answered with {got[:40]!r}.")
                took.append(time.perf_counter() - began)
                selector.unregister(opened)
                _next(selector, opened, waiting)
    return took


def _next(selector: selectors.BaseSelector, opened: socket.socket, waiting: Iterator[str]) -> None:
    path = next(waiting, None)
    if path is None:
        opened.close()
        return
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    opened.sendall(f"{head}Content-Length: {len(_BODY)}\r\n\r\n".encode() + _BODY)
    selector.register(opened, selectors.EVENT_READ, (time.perf_counter(), b""))


def _is_whole(got: bytes) -> bool:
    head, found, body = got.partition(b"\r\n\r\n")
    if not found:
        return False
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return len(body) >= int(length.split(b":")[1])
