"""No list of all people is ever built: peak memory does not grow with the number of people.

`newsletter bench` measures a worker with a million people.
"""

import gc
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.dispatcher import Dispatcher
from newsletter.sending.dispatching.worker_loop import dispatch_due
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.receipt import make_receipt
from newsletter.sending.settling.sweep import sweep
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_publication, make_story

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]
FEW, MANY, BATCH = 2_000, 12_000, 1_000
A_REFERENCE = 8
"""Bytes: a list of people holds at least so much for each. A batch is held whole, so few large ones are made."""


@pytest.fixture(autouse=True)
def _large_batches(settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = f"outbox://?max_batch={BATCH}"


def peak(act: Callable[[], object]) -> int:
    """Return the most bytes that were held at once. Garbage is collected as often as in a process of the product."""
    rarely = gc.get_threshold()
    gc.collect()
    gc.set_threshold(700, 10, 10)
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        gc.set_threshold(*rarely)


def measure(*, readers: int, start: int, slug: str) -> dict[str, int]:
    publication = make_publication(slug=slug, name=f"The {slug} letter")
    make_story(f"The first verdict of {slug}")
    add_subscribers(publication, readers, start=start)
    issue = make_issue(publication, approved=True)
    dispatcher = Dispatcher(adapter=current_adapter(), clock=lambda: NOW)
    found = {
        "freeze": peak(lambda: start_send(issue=issue, now=NOW)),
        "dispatch": peak(lambda: dispatch_due(dispatcher=dispatcher)),
        "sweep": peak(lambda: sweep(adapter=current_adapter(), clock=lambda: NOW)),
        "receipt": peak(lambda: make_receipt(issue.sends.get())),
    }
    assert make_receipt(issue.sends.get()).deliveries["accepted"] == readers
    return found


@pytest.mark.requirement("F21")
def test_memory_does_not_grow_with_the_number_of_people() -> None:
    measure(readers=100, start=0, slug="warm")
    few = measure(readers=FEW, start=100, slug="few")
    many = measure(readers=MANY, start=100 + FEW, slug="many")
    grown = {step: (many[step] - few[step]) / (MANY - FEW) for step in few}
    assert all(each < A_REFERENCE for each in grown.values()), grown
