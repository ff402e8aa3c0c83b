"""Whole sends for tests: an approved issue, a clock that moves only when it is slept, and checks against the provider."""

from datetime import datetime, timedelta
from typing import Any

from newsletter.models import Attempt, Issue, Send
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.worker_loop import run_send
from newsletter.sending.freezing import start
from newsletter.sending.settling.receipt import Receipt, make_receipt
from tests.support.fake_provider import FakeProvider
from tests.support.fixtures import NOW, add_subscribers, make_appeal, make_issue, make_publication, make_story
from tests.support.repeated_rows import repeat_rows

_MAX_STEP = 60.0
"""Seconds."""


start_send = repeat_rows(start.start_send)
"""`start_send` of the product, for tests of what follows. It writes again what it wrote for the same rows."""


class Clock:
    """A clock that moves on only by what is slept, so that waiting takes no time.

    While a send waits for minutes, `run_send` asks for a second or less again and again, and each step takes a sweep. So
    a step is twice as long as the one before, up to a minute, until another call is accepted.
    """

    def __init__(self) -> None:
        self.now = NOW
        self._step, self._accepted = 0.0, 0

    def __call__(self) -> datetime:
        return self.now

    def nap(self, seconds: float) -> None:
        accepted = Attempt.objects.filter(outcome="accepted").count()
        longer = 2 * self._step if accepted == self._accepted else 0.0
        self._step, self._accepted = min(max(seconds, longer, 0.05), max(seconds, _MAX_STEP)), accepted
        self.now += timedelta(seconds=self._step)


@repeat_rows
def make_ready_issue(*, recipients: int = 25, **publication: Any) -> Issue:
    """Create an approved issue with a story, an appeal and so many recipients."""
    made = make_publication(**publication)
    make_story("The first verdict")
    make_appeal()
    add_subscribers(made, recipients)
    return make_issue(made, approved=True)


@repeat_rows
def start_ready_send(**options: Any) -> Send:
    """Start the send of such an issue."""
    return start.start_send(issue=make_ready_issue(**options), now=NOW)


def send_issue(issue: Issue, clock: Clock | None = None) -> Send:
    """Start the send and run it until it ends or pauses."""
    clock = clock or Clock()
    send = start_send(issue=issue, now=clock())
    return run_send(send=send, adapter=current_adapter(), clock=clock, sleep=clock.nap)


def check_against_ledger(send: Send, provider: FakeProvider, *, recipients: int) -> Receipt:
    """Assert that nobody was mailed twice and that the receipt agrees with the provider's ledger. Return the receipt."""
    receipt = make_receipt(send)
    counts = provider.accepted_counts()
    assert max(counts.values(), default=0) <= 1, "somebody got it twice"
    deliveries = receipt.deliveries
    assert sum(deliveries.values()) == recipients
    assert deliveries["accepted"] <= len(counts) <= deliveries["accepted"] + deliveries["uncertain"]
    if send.state == Send.State.SUBMITTED:
        assert deliveries["accepted"] + deliveries["rejected"] + deliveries["skipped"] == recipients
    return receipt
