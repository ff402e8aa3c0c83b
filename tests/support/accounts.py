"""A second provider on loopback as a further account, for tests of sends that move."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from newsletter.models import Send
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.dispatcher import Dispatcher
from newsletter.sending.dispatching.worker_loop import dispatch_due, run_send
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.receipt import make_receipt
from tests.support.fake_provider import FakeProvider
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_publication, make_story
from tests.support.repeated_rows import repeat_rows
from tests.support.sends import Clock

SECOND_KEY = "another-key-0123456789"
PEOPLE = 60
SOON = NOW + timedelta(minutes=1)


@pytest.fixture
def second_provider() -> Iterator[FakeProvider]:
    provider = FakeProvider(key=SECOND_KEY, domain="other.example.org").start()
    yield provider
    provider.stop()


@pytest.fixture
def two_accounts(
    fake_provider: FakeProvider, second_provider: FakeProvider, settings
) -> tuple[FakeProvider, FakeProvider]:
    """Two Mailgun domains: the default account, and one called ``backup``."""
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url + "&max_batch=10"
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"backup": second_provider.provider_url + "&max_batch=10"}
    return fake_provider, second_provider


@repeat_rows
def make_issue_with_second(recipients: int = 60, **publication: object):
    """Create an approved issue of a publication whose second account is ``backup``."""
    made = make_publication(**{"second_account": "backup", **publication})
    make_story("The first verdict")
    add_subscribers(made, recipients)
    return make_issue(made, approved=True)


def count_over_accounts(*providers: FakeProvider) -> dict[str, int]:
    """Return how many mails each address was accepted for, over all providers' ledgers."""
    counts: dict[str, int] = {}
    for provider in providers:
        for address, mails in provider.accepted_counts().items():
            counts[address] = counts.get(address, 0) + mails
    return counts


@repeat_rows
def start(**publication) -> Send:
    return start_send(issue=make_issue_with_second(PEOPLE, **publication), now=NOW)


def run(send: Send, clock: Clock | None = None, *, step: float = 0) -> Send:
    """Run the send, and wait at least ``step`` seconds at a time: each step takes a sweep."""
    clock = clock or Clock()
    return run_send(send=send, adapter=current_adapter(), clock=clock, sleep=lambda asked: clock.nap(max(asked, step)))


def send_first(batches: int) -> None:
    dispatch_due(dispatcher=Dispatcher(adapter=current_adapter(), clock=lambda: NOW), limit=batches)


def check_everybody_once(send: Send, *providers, uncertain: int = 0) -> None:
    counts = count_over_accounts(*providers)
    assert set(counts.values()) <= {1}, "somebody got it twice"
    deliveries = make_receipt(send).deliveries
    assert deliveries["accepted"] + deliveries["uncertain"] == PEOPLE
    assert deliveries["uncertain"] == uncertain
    assert len(counts) >= PEOPLE - uncertain
