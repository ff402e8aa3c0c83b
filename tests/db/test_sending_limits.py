"""Quiet hours, daily limits, stale sends, rate limits, and the hold after a restore."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from newsletter.common.errors import NotReady
from newsletter.models import Batch, Delivery, Installation, ProviderAccount, Publication, Send
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching import worker_loop
from newsletter.sending.dispatching.batch_claim import claim_batch
from newsletter.sending.dispatching.dispatcher import Dispatcher
from newsletter.sending.dispatching.worker_loop import dispatch_due, run_send
from newsletter.sending.limits.installation_hold import release_installation
from newsletter.sending.limits.rate_limit import recover_pace
from newsletter.sending.limits.send_times import find_daily_limit, find_quiet_hours_end
from newsletter.sending.limits.send_window import enforce_send_window
from newsletter.sending.settling.receipt import make_receipt
from newsletter.sending.settling.retention import delete_old_deliveries
from newsletter.sending.settling.send_controls import resume_send
from newsletter.sending.settling.sweep import prepare_for_work
from tests.support.fixtures import NOW, make_approver, make_publication
from tests.support.provider_faults import too_many
from tests.support.sends import Clock, make_ready_issue, start_ready_send, start_send

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def mailgun(fake_provider, settings):
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url + "&max_batch=10"
    return fake_provider


@pytest.mark.parametrize(
    ("local", "wakes"),
    [("20:59", None), ("21:00", "07:00"), ("23:30", "07:00"), ("06:59", "07:00"), ("07:00", None)],
)
@pytest.mark.requirement("C2")
def test_quiet_hours_follow_the_publications_zone(local, wakes):
    publication = make_publication(quiet_from=time(21), quiet_until=time(7))
    publication.zone = "America/Chicago"
    hour, minute = map(int, local.split(":"))
    now = datetime(2026, 3, 4, hour, minute, tzinfo=UTC) + timedelta(hours=6)
    found = find_quiet_hours_end(publication, now=now)
    assert (found.astimezone(UTC) - timedelta(hours=6)).strftime("%H:%M") == wakes if found else wakes is None


@pytest.mark.requirement("C2")
def test_a_running_send_waits_until_quiet_hours_end(mailgun):
    issue = make_ready_issue(recipients=25, quiet_from=time(9), quiet_until=time(11))
    send = start_send(issue=issue, now=NOW)
    enforce_send_window(now=NOW)
    batch = Batch.objects.order_by("seq")[0]
    assert claim_batch(batch_id=batch.pk, provider="mailgun", now=NOW) is None
    assert claim_batch(batch_id=batch.pk, provider="mailgun", now=NOW + timedelta(hours=2)) is not None
    assert send.not_before == NOW.replace(hour=11, minute=0)


def test_new_quiet_hours_stop_a_send_before_the_next_sweep(mailgun):
    issue = make_ready_issue(recipients=25)
    send = start_send(issue=issue, now=NOW)
    Publication.objects.update(quiet_from=time(9), quiet_until=time(11))
    dispatcher = Dispatcher(adapter=current_adapter(), clock=lambda: NOW)
    assert not dispatcher.dispatch(send.batches.all()[0].pk)
    assert mailgun.ledger == []


@pytest.mark.parametrize(
    ("rule", "without"),
    [
        ({"quiet_from": time(9), "quiet_until": time(11)}, {"quiet_from": None, "quiet_until": None}),
        ({"people_per_day": 10}, {"people_per_day": 0}),
    ],
)
def test_a_send_continues_at_once_when_its_limit_is_removed(mailgun, rule, without):
    issue = make_ready_issue(recipients=25)
    send = start_send(issue=issue, now=NOW)
    Publication.objects.update(**rule)
    dispatcher = Dispatcher(adapter=current_adapter(), clock=lambda: NOW)
    for batch in send.batches.all():
        dispatcher.dispatch(batch.pk)
    enforce_send_window(now=NOW)
    assert send.batches.due(now=NOW).filter(state=Batch.State.PENDING).count() == 0
    Publication.objects.update(**without)
    enforce_send_window(now=NOW)
    for batch in send.batches.all():
        Dispatcher(adapter=current_adapter(), clock=lambda: NOW).dispatch(batch.pk)
    assert sum(mailgun.accepted_counts().values()) == 25


def test_a_stale_send_makes_no_call_until_resumed(mailgun):
    send = start_ready_send(recipients=25, stale_hours=12)
    later = NOW + timedelta(hours=40)
    dispatcher = Dispatcher(adapter=current_adapter(), clock=lambda: later)
    assert not dispatcher.dispatch(send.batches.all()[0].pk)
    assert mailgun.ledger == []
    enforce_send_window(now=later)
    send.refresh_from_db()
    assert (send.state, send.automatic_pauses.get().rule) == ("paused", "stale")
    resume_send(send=send, by=make_approver())
    enforce_send_window(now=later)
    send.refresh_from_db()
    assert send.state == "submitting"
    assert dispatcher.dispatch(send.batches.all()[0].pk)


def test_a_lowered_daily_limit_applies_and_drops_nobody(mailgun):
    send = start_ready_send(recipients=25)
    Publication.objects.update(people_per_day=7)
    enforce_send_window(now=NOW)
    assert sum(send.batches.values_list("size", flat=True)) == 25
    assert max(send.batches.values_list("size", flat=True)) <= 7
    for batch in send.batches.all():
        assert batch.deliveries.count() == batch.size
    dispatch_due(dispatcher=Dispatcher(adapter=current_adapter(), clock=lambda: NOW))
    assert 0 < sum(send.batches.filter(state="accepted").values_list("size", flat=True)) <= 7
    run_send(send=send, adapter=current_adapter(), clock=(clock := Clock()), sleep=lambda _: _forward(clock))
    send.refresh_from_db()
    assert (send.state, sum(send.batches.filter(state="accepted").values_list("size", flat=True))) == ("submitted", 25)


def _forward(clock):
    clock.now += timedelta(hours=6)


def test_a_stale_send_pauses_for_staff(mailgun):
    send = start_ready_send(recipients=25, stale_hours=12)
    enforce_send_window(now=NOW + timedelta(hours=35))
    send.refresh_from_db()
    assert send.state == Send.State.SUBMITTING
    enforce_send_window(now=NOW + timedelta(hours=36))
    send.refresh_from_db()
    assert send.state == Send.State.PAUSED
    assert "it is 12 hours late" in send.reason


def test_a_stale_send_says_how_late_it_is(mailgun):
    send = start_ready_send(recipients=25, stale_hours=12)
    enforce_send_window(now=NOW + timedelta(hours=24 + 40))
    send.refresh_from_db()
    assert "it is 40 hours late" in send.reason


def test_a_send_that_is_stale_after_an_hour_says_so_in_the_singular(mailgun):
    send = start_ready_send(recipients=25, stale_hours=1)
    enforce_send_window(now=NOW + timedelta(hours=25))
    send.refresh_from_db()
    assert "it is 1 hour late" in send.reason


@pytest.mark.long
@pytest.mark.requirement("C1")
def test_a_daily_limit_sends_the_rest_on_the_next_days(mailgun):
    issue = make_ready_issue(recipients=25, people_per_day=10)
    clock = Clock()
    send = start_send(issue=issue, now=clock())
    days: dict[date, int] = {}
    clock.nap = lambda seconds: setattr(clock, "now", clock.now + timedelta(hours=1))
    seen = 0

    def progress() -> None:
        nonlocal seen
        total = sum(mailgun.accepted_counts().values())
        days[clock().date()] = days.get(clock().date(), 0) + total - seen
        seen = total

    send = run_send(send=send, adapter=current_adapter(), clock=clock, sleep=clock.nap, progress=progress)
    assert [people for people in days.values() if people] == [10, 10, 5]
    assert set(mailgun.accepted_counts().values()) == {1}
    assert make_receipt(send).deliveries["accepted"] == 25


@pytest.mark.requirement("C1")
def test_a_new_domain_warms_up_day_by_day():
    publication = make_publication(warm_up_from=date(2026, 3, 1), people_per_day=700)
    days = [date(2026, 3, 1) + timedelta(days=n) for n in (0, 1, 2, 3, 10)]
    assert [find_daily_limit(publication, day=day) for day in days] == [50, 100, 500, 700, 700]


@pytest.mark.requirement("R2")
def test_a_database_older_than_the_last_send_is_held(mailgun):
    issue = make_ready_issue(recipients=25)
    send = start_send(issue=issue, now=NOW)
    Send.objects.filter(pk=send.pk).update(state="submitting")
    batch = Batch.objects.order_by("seq")[0]
    journal_knows_more(send)
    prepare_for_work(now=NOW)
    assert claim_batch(batch_id=batch.pk, provider="mailgun", now=NOW) is None
    with pytest.raises(NotReady, match="restored from a backup"):
        start_send(issue=issue, now=NOW)
    release_installation(now=NOW)
    prepare_for_work(now=NOW)
    assert claim_batch(batch_id=batch.pk, provider="mailgun", now=NOW) is not None


@pytest.mark.requirement("R2")
def test_a_copy_of_the_database_without_the_key_cannot_mail_anyone(mailgun, settings):
    issue = make_ready_issue(recipients=25)
    start_send(issue=issue, now=NOW)
    settings.SUBSCRIBERS_ADDRESS_KEY = "the key of another installation"
    prepare_for_work(now=NOW)
    assert Installation.objects.get().held
    assert claim_batch(batch_id=Batch.objects.order_by("seq")[0].pk, provider="mailgun", now=NOW) is None
    with pytest.raises(NotReady, match="probably a copy"):
        release_installation(now=NOW)
    assert mailgun.ledger == []


@pytest.mark.requirement("P8")
def test_after_ninety_days_a_send_keeps_only_its_receipt(mailgun):
    clock = Clock()
    send = start_send(issue=make_ready_issue(recipients=25), now=clock())
    send = run_send(send=send, adapter=current_adapter(), clock=clock, sleep=clock.nap)
    before = make_receipt(send)
    assert delete_old_deliveries(now=NOW + timedelta(days=89)) == 0
    assert delete_old_deliveries(now=NOW + timedelta(days=91)) == 25
    assert delete_old_deliveries(now=NOW + timedelta(days=92)) == 0
    assert Delivery.objects.count() == 0
    assert make_receipt(Send.objects.get()) == before


@pytest.mark.requirement("F4")
def test_too_many_for_one_worker_slows_all_workers(mailgun):
    mailgun.fault_next(too_many("60"))
    start_ready_send(recipients=25)
    dispatcher = Dispatcher(adapter=current_adapter(), clock=lambda: NOW)
    first, second, _ = Batch.objects.order_by("seq")
    assert dispatcher.dispatch(first.pk)
    assert not Dispatcher(adapter=current_adapter(), clock=lambda: NOW + timedelta(seconds=59)).dispatch(second.pk)
    assert ProviderAccount.objects.get().pace == pytest.approx(0.8)
    assert Dispatcher(adapter=current_adapter(), clock=lambda: NOW + timedelta(seconds=61)).dispatch(second.pk)
    assert len(mailgun.ledger) == 2
    recover_pace(seconds=300)
    assert ProviderAccount.objects.get().pace == 1


def test_all_workers_share_the_accounts_rate(mailgun, settings):
    settings.NEWSLETTER_PROVIDER_URL = mailgun.provider_url + "&max_batch=10&people_per_second=10"
    clock = Clock()
    send = start_send(issue=make_ready_issue(recipients=25), now=clock())
    run_send(send=send, adapter=current_adapter(), clock=clock, sleep=clock.nap)
    assert (clock.now - NOW).total_seconds() >= 1.9
    assert set(mailgun.accepted_counts().values()) == {1}


def journal_knows_more(send: Send) -> None:
    from newsletter.sending.limits.installation_hold import write_send_journal

    send.pk += 1000
    write_send_journal(send, now=NOW)


def test_a_slow_rate_makes_the_calls_smaller(mailgun, settings):
    """A wait longer than a day would be taken for one that a clock put back had left, and be forgotten."""
    settings.NEWSLETTER_PROVIDER_URL = mailgun.provider_url + "&max_batch=10&people_per_second=0.001"
    start_ready_send(recipients=6)
    assert list(Batch.objects.order_by("seq").values_list("size", flat=True)) == [3, 3]


@pytest.mark.requirement("C1")
def test_a_call_that_mailed_nobody_uses_no_daily_quota(mailgun):
    start_ready_send(recipients=10, people_per_day=10)
    mailgun.fault_next(too_many("5"))
    first = Batch.objects.get().pk
    assert Dispatcher(adapter=current_adapter(), clock=lambda: NOW).dispatch(first)
    assert Dispatcher(adapter=current_adapter(), clock=lambda: NOW + timedelta(seconds=6)).dispatch(first)
    assert len(mailgun.accepted_counts()) == 10


@pytest.mark.requirement("C2")
def test_a_busy_send_still_keeps_the_quiet_hours(mailgun, monkeypatch):
    monkeypatch.setattr(worker_loop, "BATCHES_BETWEEN_SWEEPS", 1)
    issue = make_ready_issue(recipients=45, quiet_from=time(21), quiet_until=time(7))
    clock = Clock()
    clock.now = NOW.replace(hour=20, minute=58)
    called_at = []

    def tell() -> None:
        called_at.extend([clock()] * (len(mailgun.ledger) - len(called_at)))
        clock.now += timedelta(minutes=1)

    def nap(seconds: float) -> None:
        clock.now += timedelta(hours=1)

    send = start_send(issue=issue, now=clock())
    run_send(send=send, adapter=current_adapter(), clock=clock, sleep=nap, between_batches=tell)
    assert [moment.hour for moment in called_at] == [20, 20, 7, 7, 7]
