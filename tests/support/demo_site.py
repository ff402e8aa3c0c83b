"""Requests to the sample organisation's site."""

import http.client
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from newsletter.demo.site_server import DemoSite

NOW = datetime(2026, 3, 4, 11, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def ask(site: DemoSite, path: str, *, method: str = "GET", **headers: str) -> Answer:
    """Make one request over loopback. Write header names with underscores."""
    connection = http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=10)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())
    finally:
        connection.close()
