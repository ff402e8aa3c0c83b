"""Fixtures of all contract tests: a fake provider, and an adapter that calls it."""

from collections.abc import Iterator

import pytest

from newsletter.providers.mailgun.adapter import Mailgun
from tests.support.fake_provider import FakeProvider
from tests.support.provider_fixtures import fake_provider as fake_provider


@pytest.fixture
def mailgun(fake_provider: FakeProvider) -> Iterator[Mailgun]:
    adapter = Mailgun(key=fake_provider.key, domain=fake_provider.domain, endpoint=fake_provider.endpoint)
    yield adapter
    adapter.close()
