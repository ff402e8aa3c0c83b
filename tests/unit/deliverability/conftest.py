"""A name server for each test of a sender's domain."""

from collections.abc import Iterator

import pytest

from tests.support.dns_server import DnsServer, serve_dns


@pytest.fixture
def server() -> Iterator[DnsServer]:
    """A name server that knows nothing yet."""
    with serve_dns() as running:
        yield running
