"""An engine runs the jobs of the catalogue, continues after a failure, and stops on request."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from newsletter.common.errors import NotReady
from newsletter.jobs import engine
from newsletter.jobs import engine as embedded
from newsletter.jobs import shutdown as stopping
from newsletter.jobs.catalogue import ALL_ROLES, JOBS, SCHEDULER, WORKER, Job, list_jobs
from newsletter.jobs.timer import JobTimer, run_job
from newsletter.models import Batch
from newsletter.sending import wake_up_signal
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.batch_claim import claim_batch
from newsletter.sending.dispatching.dispatcher import Dispatcher
from newsletter.sending.dispatching.worker_loop import dispatch_due
from newsletter.sending.freezing.start import start_send
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_publication, make_story

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _not_stopping():
    stopping.clear_stop_request()
    yield
    stopping.clear_stop_request()


def begun(readers: int = 20):
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, readers)
    return start_send(issue=make_issue(publication, approved=True), now=NOW)


def test_every_job_has_one_role_and_a_unique_name():
    assert {job.role for job in JOBS} == {SCHEDULER, WORKER}
    assert len({job.name for job in JOBS}) == len(JOBS)
    assert len(list_jobs(ALL_ROLES)) == len(JOBS)
    assert list_jobs(frozenset()) == []


@pytest.mark.parametrize("error", [NotReady("not yet"), OperationalError("the database is away")])
def test_a_failed_job_is_logged_and_runs_again(error, caplog):
    calls = []

    def fail():
        calls.append(1)
        raise error

    job = Job("job", 1, fail, WORKER)
    run_job(job)
    run_job(job)
    assert len(calls) == 2
    assert str(error) in caplog.text


def test_the_timer_stops_at_once_and_names_a_job_that_does_not_end():
    began, let_go = threading.Event(), threading.Event()

    def hang():
        began.set()
        let_go.wait(10)

    timer = JobTimer([Job("hang", 1, hang, WORKER)])
    timer.start()
    assert began.wait(5)
    assert not timer.stop(within=0.1)
    let_go.set()
    assert timer.stop(within=5)


@pytest.mark.requirement("F18")
def test_a_stopping_process_begins_no_batch(fake_provider, settings):
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url + "&max_batch=5"
    begun()
    stopping.ask_to_stop()
    dispatcher = Dispatcher(adapter=current_adapter(), clock=lambda: NOW)
    assert dispatch_due(dispatcher=dispatcher, concurrency=1, stopping=stopping.is_stopping) == 0
    assert fake_provider.ledger == []
    assert set(Batch.objects.values_list("state", flat=True)) == {Batch.State.PENDING}


def test_the_embedded_engine_settles_expired_leases_before_any_job(monkeypatch):
    begun()
    batch = Batch.objects.get()
    long_ago = timezone.now() - timedelta(hours=1)
    assert claim_batch(batch_id=batch.pk, provider="mailgun", now=long_ago) is not None
    monkeypatch.setattr(embedded, "list_jobs", lambda roles, concurrency: [])
    chosen = engine.make_engine()
    chosen.start()
    batch.refresh_from_db()
    assert batch.state == Batch.State.UNCERTAIN
    assert chosen.stop()


def test_a_listener_is_called_in_the_transaction_of_the_start():
    heard = []

    def listener(send):
        heard.append((send.pk, send.batches.count()))

    wake_up_signal.connect_listener(listener)
    wake_up_signal.connect_listener(listener)
    try:
        send = begun()
    finally:
        wake_up_signal._listeners.remove(listener)
    assert heard == [(send.pk, 1)]


def test_a_failing_listener_rolls_the_start_back():
    def fail(send):
        raise OperationalError("the queue is away")

    wake_up_signal.connect_listener(fail)
    try:
        with pytest.raises(OperationalError):
            begun()
    finally:
        wake_up_signal._listeners.remove(fail)
    [state] = Batch.objects.values_list("send__state", flat=True)
    assert state == "ready"


def test_jobs_that_are_due_together_share_few_threads():
    threads, ended = set(), threading.Barrier(2)

    def work():
        time.sleep(0.005)
        threads.add(threading.get_ident())

    quick = [Job(f"quick {number}", 60, work, WORKER) for number in range(12)]
    timer = JobTimer([*quick, Job("last", 60, lambda: ended.wait(10), WORKER)])
    timer.start()
    ended.wait(10)
    assert timer.stop(within=5)
    assert len(threads) <= 3


def test_a_job_with_much_to_do_holds_up_no_other_of_its_time():
    begun, end = threading.Barrier(6), threading.Event()

    def work():
        begun.wait(5)
        end.wait(10)

    timer = JobTimer([Job(f"long {number}", 60, work, WORKER) for number in range(5)])
    timer.start()
    begun.wait(5)
    end.set()
    assert timer.stop(within=5)
