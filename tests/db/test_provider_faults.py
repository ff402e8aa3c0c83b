"""Errors of providers and networks in whole sends: the ledger and the receipt agree afterwards."""

import socket
from datetime import timedelta

import pytest

from newsletter.models import Attempt, Issue, Send
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching import dispatcher as dispatcher_module
from newsletter.sending.dispatching.dispatcher import Dispatcher
from newsletter.sending.dispatching.outcome import MAX_ATTEMPTS, count_failures
from newsletter.sending.dispatching.worker_loop import dispatch_due, run_send
from newsletter.sending.settling.receipt import make_receipt
from tests.support.fake_provider import FakeProvider
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_publication, make_story
from tests.support.provider_faults import Fault, answer, too_many
from tests.support.sends import Clock, check_against_ledger, make_ready_issue, start_send

pytestmark = pytest.mark.django_db(transaction=True)
RECIPIENTS = 60


@pytest.fixture
def mailgun(fake_provider: FakeProvider, settings) -> FakeProvider:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url + "&max_batch=10"
    return fake_provider


def send_all(clock: Clock | None = None, *, recipients: int = RECIPIENTS, naps: float = 0) -> Send:
    """``naps``: the seconds of the clock between two looks at least, where a test takes many minutes of it."""
    clock = clock or Clock()
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, recipients)
    send = start_send(issue=make_issue(publication, approved=True), now=clock())
    return run_send(send=send, adapter=current_adapter(), clock=clock, sleep=lambda asked: clock.nap(max(asked, naps)))


@pytest.mark.long
@pytest.mark.requirement("F4")
def test_throttled_calls_use_up_no_attempts_and_suppress_nobody(mailgun):
    clock = Clock()
    mailgun.fault_next(*[too_many("7")] * 3, *[too_many()] * 3)
    send = send_all(clock, naps=10)
    assert check_against_ledger(send, mailgun, recipients=RECIPIENTS).deliveries["accepted"] == RECIPIENTS
    assert clock.now - NOW >= timedelta(seconds=7)
    assert Attempt.objects.filter(outcome="throttled").count() == 6


@pytest.mark.requirement("F5")
def test_an_answer_of_500_is_not_a_refusal_and_is_not_retried(mailgun):
    mailgun.fault_on(2, answer(500, b"Internal Server Error", accept=True))
    mailgun.fault_on(4, answer(503, b"Service Unavailable"))
    send = send_all()
    receipt = check_against_ledger(send, mailgun, recipients=RECIPIENTS)
    assert len({tuple(entry.recipients) for entry in mailgun.ledger if entry.status in (500, 503)}) == 2
    assert receipt.deliveries["rejected"] == 0
    assert send.state in (Send.State.NEEDS_ATTENTION, Send.State.SUBMITTED)


@pytest.mark.long
@pytest.mark.requirement("F5")
def test_a_provider_that_refuses_connections_pauses_the_send(settings):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        settings.NEWSLETTER_PROVIDER_URL = (
            f"mailgun://k@news.example.org?endpoint=http%3A%2F%2F127.0.0.1%3A{port}&max_batch=10"
        )
        clock = Clock()
        send = send_all(clock, recipients=30, naps=10)
    assert send.state == Send.State.PAUSED
    assert "in a row failed" in send.reason or "refused" in send.reason
    assert make_receipt(send).deliveries["pending"] == 30
    assert set(Attempt.objects.values_list("outcome", flat=True)) == {"not_sent"}


@pytest.mark.long
@pytest.mark.requirement("F5")
def test_an_absent_provider_is_probed_by_one_call_at_a_time(mailgun, settings):
    away = settings.NEWSLETTER_PROVIDER_URL.replace("http%3A", "https%3A")
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, 400)
    clock = Clock()
    send = start_send(issue=make_issue(publication, approved=True), now=clock())
    settings.NEWSLETTER_PROVIDER_URL = away
    dispatcher = Dispatcher(adapter=current_adapter(), clock=clock)
    while clock.now < NOW + timedelta(minutes=5):
        dispatch_due(dispatcher=dispatcher, limit=40)
        clock.now += timedelta(seconds=1)
    assert 5 <= Attempt.objects.count() <= 12
    settings.NEWSLETTER_PROVIDER_URL = away.replace("https%3A", "http%3A")
    send = run_send(send=send, adapter=current_adapter(), clock=clock, sleep=clock.nap)
    assert send.state == Send.State.SUBMITTED
    assert check_against_ledger(send, mailgun, recipients=400).deliveries["accepted"] == 400


@pytest.mark.long
@pytest.mark.requirement("F5")
def test_a_tls_failure_proves_that_nothing_was_sent(mailgun, settings):
    settings.NEWSLETTER_PROVIDER_URL = mailgun.provider_url.replace("http%3A", "https%3A") + "&max_batch=10"
    send = send_all(recipients=200, naps=10)
    assert send.state == Send.State.PAUSED
    assert make_receipt(send).deliveries["pending"] == 200
    assert mailgun.accepted() == []


@pytest.mark.parametrize("kind", ["reset_before_reading", "close_before_reading"])
@pytest.mark.requirement("F6")
def test_a_connection_that_breaks_early_mails_nobody_twice(mailgun, kind):
    mailgun.fault_on(3, Fault(kind))
    receipt = check_against_ledger(send_all(), mailgun, recipients=RECIPIENTS)
    assert receipt.deliveries["pending"] == 0


@pytest.mark.parametrize("kind", ["reset_after_accepting", "close_after_accepting", "truncate"])
@pytest.mark.requirement("F6")
def test_an_accepted_call_without_an_answer_is_never_repeated(mailgun, kind):
    mailgun.fault_on(3, Fault(kind))
    send = send_all()
    check_against_ledger(send, mailgun, recipients=RECIPIENTS)
    assert len(mailgun.accepted_counts()) == RECIPIENTS
    assert sum(bool(entry.recipients) for entry in mailgun.ledger) == RECIPIENTS // 10


ODD_ANSWERS = {
    "a page": answer(200, b"<html>Welcome</html>", accept=True),
    "nothing": answer(200, b"", accept=True),
    "an empty object": answer(200, b"{}", accept=True),
    "a number": answer(200, b"7", accept=True),
    "wrong types": answer(200, b'{"id": ["x"], "message": 3}', accept=True),
    "broken JSON": answer(200, b'{"id": "<1', accept=True),
    "bytes": answer(200, b"\xff\xfe\x00" * 40, accept=True),
    "204": answer(204, b"", accept=True),
    "a redirect": answer(302, b"", accept=False, location="http://127.0.0.1:9/"),
    "something long": answer(200, b"x" * (11 << 20), accept=True),
}


@pytest.mark.parametrize("name", ODD_ANSWERS)
@pytest.mark.requirement("F9")
def test_a_senseless_answer_is_neither_success_nor_repeated(mailgun, name):
    mailgun.fault_on(2, ODD_ANSWERS[name])
    send = send_all()
    check_against_ledger(send, mailgun, recipients=RECIPIENTS)
    made = [tuple(sorted(entry.recipients)) for entry in mailgun.ledger if entry.recipients]
    if ODD_ANSWERS[name].accept:
        assert len(made) == len(set(made)), "a batch was handed over twice"


@pytest.mark.requirement("F9")
def test_twenty_odd_answers_in_a_row_pause_the_send(mailgun):
    mailgun.fault_always(answer(200, b"<html>Welcome</html>", accept=True))
    send = send_all(recipients=250)
    assert send.state in (Send.State.PAUSED, Send.State.NEEDS_ATTENTION)
    assert len([entry for entry in mailgun.ledger if entry.recipients]) <= 25
    check_against_ledger(send, mailgun, recipients=250)


@pytest.mark.requirement("F7")
def test_only_the_people_refused_inside_an_answer_of_200_are_refused(fake_provider, settings):
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.url_of("postmark") + "&max_batch=50"
    for number in (3, 7, 11):
        fake_provider.refuse_person(f"person{number}@example.com", 406)
    send = send_all()
    receipt = check_against_ledger(send, fake_provider, recipients=RECIPIENTS)
    assert receipt.deliveries == {"pending": 0, "accepted": 57, "rejected": 3, "skipped": 0, "uncertain": 0}
    assert set(fake_provider.accepted_counts().values()) == {1}


@pytest.mark.long
@pytest.mark.requirement("I5")
def test_an_unfinished_send_is_never_called_finished(mailgun):
    mailgun.fault_on(1, too_many("3600"))
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, 20)
    send = start_send(issue=make_issue(publication, approved=True), now=NOW)
    clock = Clock()

    def stop_after_a_minute(seconds):
        clock.nap(seconds)
        if clock.now - NOW > timedelta(minutes=1):
            raise TimeoutError

    with pytest.raises(TimeoutError):
        run_send(send=send, adapter=current_adapter(), clock=clock, sleep=stop_after_a_minute)
    send.refresh_from_db()
    assert send.state == Send.State.SUBMITTING
    assert Issue.objects.get().state == Issue.State.SENDING
    assert make_receipt(send).deliveries["pending"] > 0


def test_a_defect_stops_the_send_at_the_first_call(mailgun, monkeypatch, caplog):
    """Batches do not become uncertain one after another, at the pace of the leases."""

    def fail(self, call):
        raise KeyError(call.people[0].address)

    monkeypatch.setattr(type(current_adapter()), "deliver", fail)
    send = send_all(recipients=30)
    assert send.state == Send.State.PAUSED
    assert "failed during the call" in send.reason
    assert "KeyError" in send.reason
    assert "in fail" in caplog.text
    assert "example.com" not in send.reason + caplog.text
    assert make_receipt(send).deliveries["pending"] == 20
    assert make_receipt(send).deliveries["uncertain"] == 10


def test_attempts_without_a_call_neither_count_nor_end_a_run(mailgun):
    send = start_send(issue=make_ready_issue(recipients=3), now=NOW)
    attempts = [
        ("accepted", ""),
        ("not_sent", ""),
        ("not_sent", "not_called"),
        ("accepted", "not_called"),
        ("rejected", "render_failure"),
        ("uncertain", ""),
    ]
    for number, (outcome, code) in enumerate(attempts, start=1):
        Attempt.objects.create(
            batch=send.batches.get(), number=number, outcome=outcome, code=code, people=3, started_at=NOW, ended_at=NOW
        )
    assert count_failures(send.pk) == 2


def test_a_worker_that_stalls_before_each_call_pauses_no_send(mailgun, monkeypatch):
    """The batch waits longer after each attempt, up to ten minutes, and keeps the reason for staff."""
    send = start_send(issue=make_ready_issue(recipients=3), now=NOW)
    monkeypatch.setattr(dispatcher_module, "MAX_LOOKUP_AGE_SECONDS", -1.0)
    clock, waits = Clock(), []
    for _ in range(MAX_ATTEMPTS + 2):
        assert Dispatcher(adapter=current_adapter(), clock=clock).dispatch(send.batches.get().pk)
        batch = send.batches.get()
        waits.append((batch.not_before - clock.now).total_seconds())
        clock.now = batch.not_before
    assert waits == [5, 10, 20, 40, 80, 160, 320] + [600] * 7
    assert "stalled before the call" in batch.reason
    send.refresh_from_db()
    assert (send.state, mailgun.ledger) == (Send.State.SUBMITTING, [])


def test_twelve_calls_pause_a_send_also_with_stalls_between(mailgun, monkeypatch):
    send = start_send(issue=make_ready_issue(recipients=3), now=NOW)
    mailgun.fault_always(too_many("1"))
    clock = Clock()
    for attempt in range(2 * MAX_ATTEMPTS):
        assert Send.objects.get().state == Send.State.SUBMITTING
        monkeypatch.setattr(dispatcher_module, "MAX_LOOKUP_AGE_SECONDS", 5.0 if attempt % 2 else -1.0)
        clock.now += timedelta(hours=1)
        assert Dispatcher(adapter=current_adapter(), clock=clock).dispatch(send.batches.get().pk)
    send.refresh_from_db()
    assert (send.state, len(mailgun.ledger)) == (Send.State.PAUSED, MAX_ATTEMPTS)
