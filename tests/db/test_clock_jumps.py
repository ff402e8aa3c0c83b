"""A clock that jumps, on one machine or on all, only delays a send: nobody is mailed twice."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from newsletter.models import Batch, Send
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.batch_claim import claim_batch
from newsletter.sending.dispatching.dispatcher import Dispatcher
from newsletter.sending.dispatching.worker_loop import run_send
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.sweep import sweep
from tests.support.fake_provider import FakeProvider
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_publication, make_story
from tests.support.provider_faults import too_many
from tests.support.sends import Clock, check_against_ledger

pytestmark = pytest.mark.django_db(transaction=True)
JUMPS = [timedelta(hours=1), timedelta(hours=-1), timedelta(days=7), timedelta(days=-7)]


@pytest.fixture
def mailgun(fake_provider: FakeProvider, settings: Any) -> FakeProvider:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url + "&max_batch=10&people_per_second=20"
    return fake_provider


def begun(now: datetime, *, recipients: int = 60) -> Send:
    publication = make_publication(stale_hours=0)
    make_story("The first verdict")
    add_subscribers(publication, recipients)
    return start_send(issue=make_issue(publication, approved=True), now=now)


@pytest.mark.long
@pytest.mark.parametrize("jump", JUMPS, ids=str)
@pytest.mark.requirement("F11")
def test_a_clock_that_jumps_mails_everybody_once_within_hours(mailgun: FakeProvider, jump: timedelta) -> None:
    """The rate, the waits and the leases are kept in rows, as moments of the clock that was."""
    clock, naps = Clock(), 0
    send = begun(clock())
    mailgun.fault_on(2, too_many("30"))

    def nap(seconds: float) -> None:
        nonlocal naps
        naps += 1
        clock.nap(seconds if naps < 4 else seconds * 30)
        if naps == 3:
            clock.now += jump
        if naps > 400:
            raise AssertionError(
                f"it still stands after {naps} naps: {list(Batch.objects.values('state', 'not_before'))}"
            )

    send = run_send(send=send, adapter=current_adapter(), clock=clock, sleep=nap)
    assert naps >= 3
    assert check_against_ledger(send, mailgun, recipients=60).deliveries["accepted"] == 60
    assert set(mailgun.accepted_counts().values()) == {1}
    assert len(mailgun.ledger) == 7


@pytest.mark.requirement("F11")
def test_a_clock_an_hour_ahead_mails_nobody_twice(
    mailgun: FakeProvider,
) -> None:
    send = begun(NOW)
    first = Batch.objects.order_by("seq")[0]
    claim = claim_batch(batch_id=first.pk, provider="mailgun", now=NOW)
    assert claim is not None
    sweep(adapter=current_adapter(), clock=lambda: NOW + timedelta(hours=1))
    first.refresh_from_db()
    assert first.state == Batch.State.UNCERTAIN
    clock = Clock()
    send = run_send(send=send, adapter=current_adapter(), clock=clock, sleep=clock.nap)
    assert check_against_ledger(send, mailgun, recipients=60).deliveries["uncertain"] == 10


@pytest.mark.requirement("F11")
def test_a_lease_from_before_the_clock_was_set_back_ends_at_once(
    mailgun: FakeProvider,
) -> None:
    begun(NOW)
    batch = Batch.objects.order_by("seq")[0]
    assert claim_batch(batch_id=batch.pk, provider="mailgun", now=NOW + timedelta(days=7)) is not None
    sweep(adapter=current_adapter(), clock=lambda: NOW)
    batch.refresh_from_db()
    assert batch.state == Batch.State.UNCERTAIN


def test_a_requested_wait_is_not_shortened(mailgun: FakeProvider, settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = mailgun.provider_url + "&max_batch=10"
    begun(NOW, recipients=10)
    mailgun.fault_on(1, too_many("21000"))
    Dispatcher(adapter=current_adapter(), clock=lambda: NOW).dispatch(Batch.objects.get().pk)
    sweep(adapter=current_adapter(), clock=lambda: NOW + timedelta(minutes=1))
    assert Batch.objects.get().not_before == NOW + timedelta(seconds=21000)
