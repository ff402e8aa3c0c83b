"""A slow call keeps its batch, a lost worker's batch is given up within a minute, and no lease is retaken."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from newsletter.models import Attempt, Batch
from newsletter.providers.base.contract import Outcome, Verdict
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching import dispatcher
from newsletter.sending.dispatching.batch_claim import Claim, claim_batch
from newsletter.sending.dispatching.lease import LEASE, MAX_LEASE_TIME, Lease, LeaseRenewer
from newsletter.sending.dispatching.outcome import record_outcome
from newsletter.sending.settling.sweep import settle_expired_leases
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_publication, make_story
from tests.support.sends import start_send

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def take_one() -> Claim:
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, 3)
    start_send(issue=make_issue(publication, approved=True), now=NOW)
    claim = claim_batch(batch_id=Batch.objects.get().pk, provider="mailgun", now=NOW)
    assert claim is not None
    return claim


def claim_one() -> Lease:
    claim = take_one()
    return Lease(batch_id=claim.batch.pk, attempt_number=claim.attempt_number, until=claim.lease_until)


def test_a_lost_workers_batch_is_given_up_within_a_minute():
    assert LEASE + timedelta(seconds=10) < timedelta(seconds=60)


@pytest.mark.requirement("F6")
def test_a_call_longer_than_the_lease_keeps_its_batch():
    lease = claim_one()
    assert lease.renew(now=NOW + timedelta(seconds=40))
    assert settle_expired_leases(now=NOW + timedelta(seconds=80)) == 0
    assert lease.until == NOW + timedelta(seconds=40) + LEASE


@pytest.mark.requirement("F22")
def test_a_lost_lease_is_not_taken_back():
    lease = claim_one()
    until = lease.until
    assert settle_expired_leases(now=NOW + timedelta(seconds=50)) == 1
    assert not lease.renew(now=NOW + timedelta(seconds=51))
    assert lease.until == until
    assert Batch.objects.get().state == Batch.State.UNCERTAIN


@pytest.mark.requirement("F22")
def test_before_the_call_the_lease_is_checked_in_the_row_too():
    lease = claim_one()
    assert lease.holds(now=NOW + timedelta(seconds=1))
    assert not lease.holds(now=NOW + timedelta(seconds=45))
    settle_expired_leases(now=NOW + timedelta(hours=1))
    assert not lease.holds(now=NOW + timedelta(seconds=1))


@pytest.mark.requirement("F22")
def test_a_hanging_worker_keeps_its_batch_for_five_minutes():
    lease = claim_one()
    assert lease.renew(now=NOW + MAX_LEASE_TIME - timedelta(seconds=1))
    assert lease.until == NOW + MAX_LEASE_TIME
    assert not lease.renew(now=NOW + MAX_LEASE_TIME)


@pytest.mark.requirement("F11")
def test_a_clock_that_jumps_ahead_makes_the_batch_uncertain():
    lease = claim_one()
    assert settle_expired_leases(now=NOW + timedelta(days=7)) == 1
    assert Batch.objects.get().state == Batch.State.UNCERTAIN
    assert claim_batch(batch_id=lease.batch_id, provider="mailgun", now=NOW + timedelta(days=7)) is None


def test_the_renewer_extends_leases_and_ends_without_any():
    lease = claim_one()
    renewed = threading.Event()

    def clock():
        renewed.set()
        return NOW + timedelta(seconds=30)

    keeper = LeaseRenewer(clock=clock, every_seconds=0.05)
    with keeper.hold(lease):
        assert renewed.wait(10)
        _wait_until(lambda: lease.until == NOW + timedelta(seconds=30) + LEASE)
    _wait_until(lambda: keeper._thread is None)


def test_a_short_database_outage_does_not_end_the_renewer(caplog):
    lease = claim_one()
    keeper = LeaseRenewer(clock=lambda: NOW + timedelta(seconds=30))
    with connection.execute_wrapper(_away):
        keeper._held.add(lease)
        keeper.renew()
    assert "could not be renewed" in caplog.text
    keeper.renew()
    assert lease.until == NOW + timedelta(seconds=30) + LEASE


def _away(execute, sql, params, many, context):
    from django.db import OperationalError

    raise OperationalError("the server closed the connection")


def _wait_until(told, *, seconds: float = 60):
    nap = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if told():
            return
        nap.wait(0.02)
    raise AssertionError("it did not come about in time")


@pytest.mark.requirement("I3")
def test_a_worker_that_stalled_after_the_lookup_does_not_call(fake_provider, settings, monkeypatch):
    """Somebody who unsubscribed meanwhile got an answer, so no later call may contain them."""
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url
    batch_id = claim_one().batch_id
    Attempt.objects.update(ended_at=NOW, outcome="not_sent")
    Batch.objects.update(state=Batch.State.PENDING, lease_until=None)
    monkeypatch.setattr(dispatcher, "MAX_LOOKUP_AGE_SECONDS", -1.0)
    assert dispatcher.Dispatcher(adapter=current_adapter(), clock=lambda: NOW).dispatch(batch_id)
    assert Batch.objects.get().state == Batch.State.PENDING
    assert fake_provider.ledger == []


@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has one writer, and no rows that wait for another"
)
@pytest.mark.requirement("F22")
def test_a_batch_locked_by_a_stalled_worker_is_skipped():
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, 3)
    start_send(issue=make_issue(publication, approved=True), now=NOW)
    batch_id = Batch.objects.get().pk
    found: list[object] = []

    def try_it() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '5s'")
            found.append(claim_batch(batch_id=batch_id, provider="mailgun", now=NOW))
        finally:
            connection.close()

    with transaction.atomic():
        assert claim_batch(batch_id=batch_id, provider="mailgun", now=NOW) is not None
        other = threading.Thread(target=try_it)
        other.start()
        other.join(20)
    assert found == [None]


@pytest.mark.requirement("F22")
def test_a_late_acceptance_is_evidence_for_its_own_attempt():
    claim = take_one()
    settle_expired_leases(now=NOW + timedelta(seconds=50))
    told = Outcome(Verdict.ACCEPTED, "Queued.", provider_id="one@example.org")
    assert record_outcome(claim=claim, outcome=told, now=NOW + timedelta(seconds=60))
    batch = Batch.objects.get()
    assert (batch.state, batch.provider_id) == (Batch.State.ACCEPTED, "one@example.org")


@pytest.mark.parametrize("verdict", [Verdict.NOT_SENT, Verdict.REJECTED, Verdict.THROTTLED, Verdict.UNCERTAIN])
@pytest.mark.requirement("F22")
def test_any_other_late_result_changes_nothing(verdict: Verdict):
    claim = take_one()
    settle_expired_leases(now=NOW + timedelta(seconds=50))
    assert not record_outcome(claim=claim, outcome=Outcome(verdict, "late"), now=NOW + timedelta(seconds=60))
    assert Batch.objects.get().state == Batch.State.UNCERTAIN


@pytest.mark.requirement("F22")
def test_a_late_worker_settles_nothing_of_a_later_attempt():
    claim = take_one()
    settle_expired_leases(now=NOW + timedelta(seconds=50))
    Batch.objects.update(state=Batch.State.PENDING)
    assert claim_batch(batch_id=claim.batch.pk, provider="mailgun", now=NOW + timedelta(seconds=55)) is not None
    told = Outcome(Verdict.ACCEPTED, "Queued.")
    assert not record_outcome(claim=claim, outcome=told, now=NOW + timedelta(seconds=60))
    assert Batch.objects.get().state == Batch.State.SUBMITTING
