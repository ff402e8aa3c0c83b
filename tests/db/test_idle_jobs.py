"""While nothing is under way, the jobs ask the database little. What begins is found at the next run."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import product
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from newsletter.common.database.change_watch import ChangeWatch
from newsletter.jobs.catalogue import ALL_ROLES, JOBS, Job, list_jobs
from newsletter.jobs.resting import RestingJobs
from newsletter.jobs.timer import run_job
from newsletter.models import Batch, ProviderAccount, Publication, Send
from newsletter.sending.adapters import current_adapter
from newsletter.sending.canaries.send_canaries import MAX_LAST_CANARY_DELAY
from newsletter.sending.dispatching.dispatcher import Dispatcher
from newsletter.sending.dispatching.worker_loop import dispatch_due
from newsletter.sending.limits.step_work import has_work, list_steps
from newsletter.sending.settling.sweep import (
    MAX_WAIT,
    RUNNING_STATES,
    _add_further_adapters,
    _yield_steps,
    sweep,
)
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_publication, make_story
from tests.support.sends import start_send

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
MAX_QUERIES_OF_FREQUENT_JOBS = 5
MAX_QUERIES_OF_SWEEP = 16
MAX_QUERIES_A_MINUTE = 1_200
MAX_RUNS_A_RESTED_MINUTE = 40
"""Of jobs that run at least every minute: about one of each."""
IDLE = NOW + timedelta(days=30)
"""Nothing is left to do for the issue that was sent, and the next one is not assembled yet."""


@pytest.fixture
def sent(fake_provider: Any, settings: Any) -> Send:
    """Return a send that has ended."""
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, 3)
    send = start_send(issue=make_issue(publication, approved=True), now=NOW)
    dispatch_due(dispatcher=Dispatcher(adapter=current_adapter(), clock=lambda: NOW))
    sweep(adapter=current_adapter(), clock=lambda: NOW)
    send.refresh_from_db()
    assert send.state == Send.State.SUBMITTED
    return send


def _count_queries(job: Job) -> int:
    job.run()  # what is read once in a process is no longer read
    with CaptureQueriesContext(connection) as captured:
        job.run()
    return len(captured)


def _is_under_way() -> bool:
    return has_work(now=NOW)


def test_frequent_jobs_ask_little_while_nothing_is_under_way(sent: Send) -> None:
    frequent = {job.name: _count_queries(job) for job in JOBS if job.every_seconds <= 2}
    assert len(frequent) >= 8
    assert {name: count for name, count in frequent.items() if count > MAX_QUERIES_OF_FREQUENT_JOBS} == {}


def test_the_sweep_asks_little_while_nothing_is_under_way(sent: Send) -> None:
    repair = next(job for job in JOBS if job.name == "repair_sends")
    assert _count_queries(repair) <= MAX_QUERIES_OF_SWEEP


@time_machine.travel(IDLE)
def test_all_jobs_together_ask_little_while_idle(sent: Send) -> None:
    a_minute = {job.name: _count_queries(job) * 60 / job.every_seconds for job in JOBS if job.every_seconds <= 60}
    assert sum(a_minute.values()) <= MAX_QUERIES_A_MINUTE, a_minute


@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite counts its commits")
@time_machine.travel(IDLE)
def test_a_minute_in_which_nothing_is_written_runs_few_jobs(sent: Send) -> None:
    """Rows count as written, and not statements: SQLite in memory counts those that changed no row too."""
    seconds, written, runs = 0.0, 0, Counter[str]()
    resting = RestingJobs(Unchanged(), clock=lambda: seconds, wall_clock=lambda: seconds)
    frequent = [job for job in JOBS if job.every_seconds <= 60]
    watched = {job.name: resting.watch(replace(job, run=partial(_count, runs, job))) for job in frequent}
    for second in range(180):
        seconds = float(second)
        if second == 120:  # the first runs write
            runs.clear()
            written = connection.connection.total_changes
        for job in frequent:
            if second % job.every_seconds == 0 and not resting.may_rest(job):
                run_job(watched[job.name])
    assert connection.connection.total_changes == written
    assert runs.total() <= MAX_RUNS_A_RESTED_MINUTE, runs


class Unchanged(ChangeWatch):
    """Tells that nothing was written."""

    def read(self) -> int:
        return 1


def _count(runs: Counter[str], job: Job) -> None:
    runs[job.name] += 1
    job.run()


def test_a_send_that_ended_is_not_under_way(sent: Send) -> None:
    assert not _is_under_way()


@pytest.mark.parametrize("state", [Send.State.PREPARING, Send.State.READY, *RUNNING_STATES])
def test_a_send_that_the_sweep_moves_on_is_under_way(sent: Send, state: str) -> None:
    Send.objects.update(state=state)
    assert _is_under_way()


def test_a_paused_send_is_under_way_only_if_its_account_stopped_it(sent: Send) -> None:
    Send.objects.update(state=Send.State.PAUSED, code=Send.Code.PAUSED_BY_STAFF)
    assert not _is_under_way()
    Send.objects.update(code=Send.Code.ACCOUNT_AWAY)
    assert _is_under_way()


def test_every_step_of_the_sweep_declares_what_it_acts_on(sent: Send) -> None:
    finished: list[Send] = []
    steps = list(_yield_steps(adapter=current_adapter(), clock=lambda: NOW, finished=finished))
    called = {step.func for step in steps if isinstance(step, partial)}
    assert all(isinstance(step, partial) for step in steps)
    assert called - {_add_further_adapters} == set(list_steps())


def test_the_guard_finds_the_sends_of_each_step(sent: Send) -> None:
    acting = set()
    for state, code in product(Send.State, Send.Code):
        Send.objects.update(state=state, code=code)
        for step, work in list_steps().items():
            if Send.objects.filter(work.sends).exists():
                acting.add(step)
                assert _is_under_way(), (step, state, code)
    assert len(acting) > len(list_steps()) / 2


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL plans by the number of rows")
def test_the_guard_reads_no_batches_but_those_it_looks_for(sent: Send) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert not _is_under_way()
    asked = [query["sql"] for query in captured if '"newsletter_batch"' in query["sql"]]
    assert len(asked) == 3
    for sql in asked:
        with connection.cursor() as cursor:
            plan = [row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()]
        assert any("batch_by_state (send_id=? AND state=?)" in step for step in plan), plan


@pytest.mark.parametrize(
    ("state", "period", "batch"),
    [
        ("cancelled", "", Batch.State.SUBMITTING),
        ("cancelled", "", Batch.State.PENDING),
        ("submitted", "2026-11", Batch.State.PENDING),
    ],
)
def test_a_batch_left_in_an_ended_send_is_under_way(sent: Send, state: str, period: str, batch: str) -> None:
    Send.objects.update(state=state, period=period)
    Batch.objects.update(state=batch, handed_to="default" if state == "cancelled" else "")
    assert _is_under_way()


def test_a_send_with_canaries_is_under_way_for_an_hour(sent: Send) -> None:
    Send.objects.update(ended_at=NOW - MAX_LAST_CANARY_DELAY + timedelta(minutes=1))
    assert not _is_under_way()
    Publication.objects.update(canary=Publication.Canary.WATCH)
    assert _is_under_way()
    Send.objects.update(ended_at=NOW - MAX_LAST_CANARY_DELAY)
    assert not _is_under_way()


@pytest.mark.parametrize(
    "changed",
    [{"pace": 0.5}, {"next_at": (NOW + 2 * MAX_WAIT).timestamp()}, {"wait_until": (NOW + 2 * MAX_WAIT).timestamp()}],
)
def test_the_sweep_restores_a_slowed_account_without_a_send(sent: Send, changed: dict[str, float]) -> None:
    ProviderAccount.objects.all().delete()
    ProviderAccount.objects.create(name="mailgun", **changed)
    sweep(adapter=current_adapter(), clock=lambda: NOW)
    (name, before), account = *changed.items(), ProviderAccount.objects.get()
    assert getattr(account, name) != before


@time_machine.travel(NOW)
def test_a_send_that_begins_is_dispatched_at_the_next_run(fake_provider: Any, settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url
    dispatch = next(job for job in list_jobs(ALL_ROLES, concurrency=1) if job.name == "dispatch_batches")
    dispatch.run()
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, 3)
    start_send(issue=make_issue(publication, approved=True), now=NOW)
    assert len(fake_provider.ledger) == 0
    dispatch.run()
    assert {batch.state for batch in Batch.objects.all()} == {Batch.State.ACCEPTED}
    assert len(fake_provider.ledger) > 0
