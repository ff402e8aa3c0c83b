"""One running sample site for all tests of the demonstration."""

from collections.abc import Iterator

import pytest

from newsletter.demo.site_server import DemoSite
from tests.support.demo_site import NOW


@pytest.fixture(scope="session")
def site() -> Iterator[DemoSite]:
    with DemoSite(now=NOW) as running:
        yield running
