"""A job rests while the database stays as it is. A write of anybody ends the rest, and so does time."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Any

import pytest
from django.db import OperationalError, connection
from time_machine import travel

from newsletter.common.database.change_watch import ChangeWatch, ending_no_rest, make_change_watch
from newsletter.common.errors import NotReady
from newsletter.content.ingesting.ingest import ingest_due
from newsletter.inbound.settings import parse_sources
from newsletter.issues.checks.recent_results import RecentResults
from newsletter.jobs import catalogue
from newsletter.jobs import engine as engines
from newsletter.jobs.catalogue import ALL_ROLES, JOBS, SCHEDULER, WORKER, Job, list_jobs
from newsletter.jobs.engine import EmbeddedEngine
from newsletter.jobs.notices.write_due_notices import may_have_notice
from newsletter.jobs.resting import RestingJobs
from newsletter.jobs.shutdown import clear_stop_request
from newsletter.jobs.timer import JobThreads, make_heartbeat, run_job
from newsletter.models import (
    Batch,
    CanaryMailbox,
    Issue,
    LinkCheck,
    MailboxReading,
    Publication,
    RunningProcess,
    Send,
    Source,
)
from newsletter.monitoring.job_runs import copy_runs, expect_jobs, note_rest, note_start
from newsletter.monitoring.process_heartbeat import ProcessHeartbeat
from newsletter.sending.freezing.start import start_send
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_publication, make_source, make_story
from tests.support.processes import wait_until

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
only_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite counts its commits")
ON_TIME = {"assemble_issues", "start_due_sends"}
"""They act at a time that readers expect, and rest only if no such time comes during their rest."""
NEVER_REST = {"check_links", "score_issues_for_spam"}
"""They use a result for five minutes, which a rest would add to."""
RESTS = {
    "assemble_issues": 60,
    "start_due_sends": 60,
    "read_sources": 60,
    "void_stale_approvals": 60,
    "freeze_requested_sends": 60,
    "write_staff_notices": 60,
    "send_staff_notices": 60,
    "send_welcome_mails": 60,
    "send_confirmations": 60,
    "send_requested_links": 60,
    "send_single_mails": 60,
    "send_stay_questions": 60,
    "send_staff_links": 60,
    "import_people": 60,
    "dispatch_batches": 60,
    "deliver_webhooks": 60,
    "apply_provider_events": 60,
    "adjust_send_paces": 60,
    "confirm_report_subscriptions": 60,
    "read_canary_mailboxes": 60,
    "handle_inbound_mails": 15,
    "forward_waiting_replies": 60,
    "repair_sends": 60,
}


class Clock:
    """A monotonic clock, and a wall clock that is ``step`` seconds ahead of it."""

    seconds = 0.0
    step = 0.0

    def __call__(self) -> float:
        return self.seconds

    def read_wall(self) -> float:
        return self.seconds + self.step


@pytest.fixture
def changes() -> Iterator[ChangeWatch | None]:
    watch = make_change_watch()
    yield watch
    if watch is not None:
        watch.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def resting(changes: ChangeWatch | None, clock: Clock) -> RestingJobs:
    return RestingJobs(changes, clock=clock, wall_clock=clock.read_wall)


def _make(run: Callable[[], object] = lambda: None, **fields: Any) -> Job:
    return Job(**{"name": "rests", "every_seconds": 1, "run": run, "role": WORKER, "rest_seconds": 30, **fields})


def _run(resting: RestingJobs, job: Job) -> None:
    run_job(resting.watch(job))


def _in_thread(call: Callable[[], object]) -> None:
    def run() -> None:
        try:
            call()
        finally:
            connection.close()

    thread = Thread(target=run)
    thread.start()
    thread.join()


def _write_file(database: Path, statement: str) -> None:
    with closing(sqlite3.connect(database)) as opened, opened:
        opened.execute(statement)


@only_sqlite
def test_a_job_rests_after_a_run_that_found_nothing(resting: RestingJobs) -> None:
    job = _make()
    assert not resting.may_rest(job)
    _run(resting, job)
    assert resting.may_rest(job)


def test_a_job_without_a_rest_always_runs(resting: RestingJobs) -> None:
    job = _make(rest_seconds=0)
    _run(resting, job)
    assert not resting.may_rest(job)


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite counts its commits")
def test_no_job_rests_on_postgresql(resting: RestingJobs) -> None:
    job = _make()
    _run(resting, job)
    assert not resting.may_rest(job)


def test_a_rest_ends_with_its_time(resting: RestingJobs, clock: Clock) -> None:
    job = _make()
    _run(resting, job)
    clock.seconds = 30
    assert not resting.may_rest(job)


@only_sqlite
@pytest.mark.parametrize(("step", "rests"), [(2, True), (-2, True), (3, False), (-3, False), (3600, False)])
def test_a_step_of_the_wall_clock_ends_a_rest(step: float, rests: bool, resting: RestingJobs, clock: Clock) -> None:
    job = _make()
    _run(resting, job)
    clock.seconds, clock.step = 10, step
    assert resting.may_rest(job) is rests
    _run(resting, job)
    assert resting.may_rest(job)


@only_sqlite
def test_a_step_during_a_run_ends_the_rest_after_it(resting: RestingJobs, clock: Clock) -> None:
    def step() -> None:
        clock.step = 60

    job = _make(step)
    _run(resting, job)
    assert not resting.may_rest(job)


@only_sqlite
def test_a_due_send_is_not_late_after_a_step_of_the_clock(changes: ChangeWatch) -> None:
    job = next(job for job in JOBS if job.name == "start_due_sends")
    make_story("The first verdict")
    make_issue(make_publication(lead_hours=24))
    moment = datetime(2026, 3, 4, 9, tzinfo=UTC)
    Issue.objects.update(due_at=moment)
    resting = RestingJobs(changes)
    with travel(moment - timedelta(hours=1), tick=False):
        _run(resting, job)
        _run(resting, job)  # the first run may write
        assert resting.may_rest(job)
    with travel(moment, tick=False):
        assert not resting.may_rest(job)


@only_sqlite
def test_a_run_after_the_tick_does_not_make_the_rest_longer(resting: RestingJobs, clock: Clock) -> None:
    job = _make(every_seconds=10)
    clock.seconds = 0.005
    _run(resting, job)
    rests = []
    for clock.seconds in (10, 20, 30):
        rests.append(resting.may_rest(job))
    assert rests == [True, True, False]


@pytest.mark.parametrize("write", [make_source, lambda: _in_thread(make_source)], ids=["here", "another connection"])
def test_a_write_of_any_connection_ends_a_rest(resting: RestingJobs, write: Callable[[], object]) -> None:
    job = _make()
    _run(resting, job)
    write()
    assert not resting.may_rest(job)


def test_a_write_during_a_run_lets_the_job_run_again(resting: RestingJobs) -> None:
    job = _make(lambda: _in_thread(make_source))
    _run(resting, job)
    assert not resting.may_rest(job)


@pytest.mark.parametrize("error", [NotReady("not yet"), OperationalError("the database is away")])
def test_a_failed_job_does_not_rest(resting: RestingJobs, error: Exception) -> None:
    def fail() -> None:
        raise error

    _run(resting, _make())
    _run(resting, _make(fail))
    assert not resting.may_rest(_make())


def test_a_job_that_waits_for_a_time_does_not_rest(resting: RestingJobs) -> None:
    job = _make(waits_for_time=lambda: True)
    _run(resting, job)
    assert not resting.may_rest(job)


@only_sqlite
def test_a_heartbeat_does_not_end_a_rest(resting: RestingJobs, changes: ChangeWatch) -> None:
    heartbeat = make_heartbeat(ALL_ROLES, JOBS, changes=changes)
    heartbeat._try(NOW)
    job = _make()
    _run(resting, job)
    heartbeat._try(NOW)
    assert RunningProcess.objects.count() == 1
    assert resting.may_rest(job)


@only_sqlite
def test_another_write_during_a_heartbeat_ends_a_rest(
    resting: RestingJobs, changes: ChangeWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, write = _make(), ProcessHeartbeat.write
    _run(resting, job)

    def write_beside_others(self: ProcessHeartbeat, **times: datetime) -> None:
        write(self, **times)
        _in_thread(make_source)

    monkeypatch.setattr(ProcessHeartbeat, "write", write_beside_others)
    make_heartbeat(ALL_ROLES, JOBS, changes=changes)._try(NOW)
    assert Source.objects.count() == 1
    assert not resting.may_rest(job)


@only_sqlite
def test_a_watch_that_lost_its_connection_reports_a_change(resting: RestingJobs, changes: ChangeWatch) -> None:
    job = _make()
    _run(resting, job)
    changes.close()
    assert not resting.may_rest(job)


def test_a_rest_leaves_the_start_of_a_run_as_it_is() -> None:
    started, rested = datetime(2030, 1, 1, tzinfo=UTC), datetime(2030, 1, 2, tzinfo=UTC)
    expect_jobs({"rests": 1})
    note_rest("unknown", now=rested)
    note_start("rests", every=1, now=started)
    note_rest("rests", now=rested)
    assert copy_runs() == {
        "rests": {"every": 1, "done_at": rested.isoformat(), "failed": False, "running_since": started.isoformat()}
    }


@only_sqlite
def test_a_watch_follows_a_file_that_replaced_the_database(tmp_path: Path, changes: ChangeWatch) -> None:
    database, restored = tmp_path / "now.sqlite3", tmp_path / "restored.sqlite3"
    for file in (database, restored):
        _write_file(file, "CREATE TABLE notes (text)")
    _watch_file(changes, database)
    changes.read()
    before = changes.read()
    restored.replace(database)
    found = changes.read()
    assert before != found == changes.read()
    _write_file(database, "INSERT INTO notes VALUES ('written')")
    assert changes.read() != found


@only_sqlite
def test_a_watch_does_not_make_a_file_that_is_missing(tmp_path: Path, changes: ChangeWatch) -> None:
    database = tmp_path / "now.sqlite3"
    _watch_file(changes, database)
    assert changes.read() is None
    _write_file(database, "CREATE TABLE notes (text)")
    assert changes.read() is not None
    database.unlink()
    assert changes.read() is None
    assert not database.exists()


@only_sqlite
def test_a_watch_keeps_its_connection_longer_than_others(tmp_path: Path, changes: ChangeWatch) -> None:
    database = tmp_path / "now.sqlite3"
    _write_file(database, "CREATE TABLE notes (text)")
    _watch_file(changes, database)
    found = changes.read()
    changes._connection.close_at = monotonic()  # as 60 seconds later
    assert changes.read() == found


def _watch_file(changes: ChangeWatch, database: Path) -> None:
    changes._connection.settings_dict = changes._connection.settings_dict | {"NAME": str(database), "CONN_MAX_AGE": 60}


@only_sqlite
def test_a_write_that_no_job_reads_does_not_end_a_rest(resting: RestingJobs) -> None:
    def write() -> None:
        with ending_no_rest():
            make_source()

    rests, writes = _make(), _make(write, name="writes")
    _run(resting, rests)
    _run(resting, writes)
    assert Source.objects.count() == 1
    assert resting.may_rest(rests)


@only_sqlite
def test_a_concurrent_write_ends_a_rest(resting: RestingJobs) -> None:
    def write() -> None:
        with ending_no_rest():
            make_source()
            _in_thread(lambda: make_source("Another"))

    rests, writes = _make(), _make(write, name="writes")
    _run(resting, rests)
    _run(resting, writes)
    assert Source.objects.count() == 2
    assert not resting.may_rest(rests)


def test_outside_a_job_every_write_ends_a_rest(resting: RestingJobs) -> None:
    job = _make()
    _run(resting, job)
    with ending_no_rest():
        make_source()
    assert not resting.may_rest(job)


@only_sqlite
@pytest.mark.parametrize("looked_at", [NOW, None], ids=["read before", "never read"])
def test_a_reading_that_fails_ends_a_rest_only_if_it_is_the_first(
    looked_at: datetime | None, resting: RestingJobs
) -> None:
    source = make_source(url="http://127.0.0.1:9/feed.xml", looked_at=looked_at, due_at=NOW)
    rests, reads = _make(), _make(lambda: ingest_due(now=NOW), name="reads")
    _run(resting, rests)
    _run(resting, reads)
    source.refresh_from_db()
    assert source.failures == 1
    assert resting.may_rest(rests) is (looked_at is not None)


@only_sqlite
def test_checked_links_end_no_rest(resting: RestingJobs, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.NEWSLETTER_LINK_CHECKS = True
    monkeypatch.setattr(catalogue, "_checked_links", RecentResults())
    make_story("The first verdict", url="http://127.0.0.1:9/verdict/")
    make_issue(make_publication())
    rests, checks = _make(), next(job for job in JOBS if job.name == "check_links")
    _run(resting, rests)
    _run(resting, checks)
    assert LinkCheck.objects.exists()
    assert resting.may_rest(rests)


@only_sqlite
def test_a_resting_job_counts_as_done_and_gets_no_thread(resting: RestingJobs) -> None:
    runs: list[int] = []
    job = _make(lambda: runs.append(1))
    expect_jobs({job.name: 1})
    _run(resting, job)
    threads = JobThreads([job], resting)
    later = datetime(2030, 1, 1, tzinfo=UTC)
    with travel(later, tick=False):
        threads.submit_job(type("Timed", (), {"id": job.name})(), [later])
    assert len(runs) == 1
    assert copy_runs()[job.name]["done_at"] == later.isoformat()
    threads.shutdown()


@only_sqlite
def test_dispatching_and_repairs_do_not_rest_during_a_send(resting: RestingJobs) -> None:
    jobs = [job for job in list_jobs(ALL_ROLES) if job.name in ("dispatch_batches", "repair_sends")]
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, 3)
    start_send(issue=make_issue(publication, approved=True), now=NOW)
    Send.objects.update(state=Send.State.SUBMITTING)
    Batch.objects.update(state=Batch.State.ACCEPTED)
    assert [job.waits_for_time() for job in jobs] == [True, True]
    Send.objects.update(state=Send.State.SUBMITTED)
    assert [job.waits_for_time() for job in jobs] == [False, False]


def test_only_these_jobs_rest_and_no_longer_than_this() -> None:
    assert {job.name: job.rest_seconds for job in JOBS if job.rest_seconds} == RESTS
    assert NEVER_REST.isdisjoint(RESTS)


@only_sqlite
@pytest.mark.parametrize("name", sorted(ON_TIME))
def test_a_job_with_a_time_to_keep_does_not_rest_past_it(name: str, resting: RestingJobs) -> None:
    job = next(job for job in JOBS if job.name == name)
    publication = make_publication(lead_hours=24)
    moment = datetime(2026, 3, 4, 9, tzinfo=UTC)
    if name == "start_due_sends":
        make_story("The first verdict")
        make_issue(publication)
        Issue.objects.update(due_at=moment)
    else:
        Publication.objects.update(made_at=moment - timedelta(days=1))
    for before, rests in ((timedelta(hours=1), True), (timedelta(seconds=job.rest_seconds), False)):
        with travel(moment - before, tick=False):
            _run(resting, job)
            _run(resting, job)  # the first run may write
            assert resting.may_rest(job) is rests


def test_each_rest_of_the_catalogue_leaves_out_a_run() -> None:
    assert [job.name for job in JOBS if 0 < job.rest_seconds < 2 * job.every_seconds] == []


@pytest.mark.parametrize(
    ("enabled", "looked_at", "is_awake"),
    [(True, NOW, True), (False, NOW, False), (True, NOW - timedelta(hours=1), False), (True, None, False)],
    ids=["read", "turned off", "no longer read", "never read"],
)
def test_only_a_canary_that_is_read_keeps_notices_awake(
    enabled: bool, looked_at: datetime | None, is_awake: bool
) -> None:
    CanaryMailbox.objects.create(
        address="a@example.org",
        address_hash=b"x" * 32,
        host="mail.example.org",
        port=993,
        user="a",
        sealed_password="",
        enabled=enabled,
        failing_since=NOW - timedelta(hours=2),
        looked_at=looked_at,
        error="The password is wrong.",
        made_at=NOW,
    )
    assert may_have_notice(now=NOW) is is_awake


@pytest.mark.parametrize("label", ["replies", "no longer in the settings"])
def test_only_a_mailbox_of_the_settings_keeps_notices_awake(label: str, settings: Any) -> None:
    settings.NEWSLETTER_INBOUND = parse_sources(["imaps://replies:secret@mail.example.org/"])
    (mailbox,) = settings.NEWSLETTER_INBOUND.mailboxes
    is_read = label == "replies"
    MailboxReading.objects.create(
        label=mailbox.label if is_read else label, failing_since=NOW, error="The password is wrong."
    )
    assert may_have_notice(now=NOW) is is_read


@only_sqlite
def test_a_running_engine_lets_a_job_rest_until_another_connection_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[float] = []
    job = _make(lambda: runs.append(monotonic()), every_seconds=0.05, rest_seconds=300)
    monkeypatch.setattr(engines, "list_jobs", lambda roles, concurrency: [job])
    engine = EmbeddedEngine(roles=frozenset({SCHEDULER}))
    engine.start()
    try:
        before = _wait_until_no_run_follows(runs)
        _in_thread(make_source)
        wait_until(lambda: len(runs) > before, what="a run after the write")
    finally:
        engine.stop()
        clear_stop_request()


def _wait_until_no_run_follows(runs: list[float]) -> int:
    """Return the number of runs, after which none followed for ten intervals. The heartbeat writes when the engine starts."""
    for _ in range(20):
        before = len(runs)
        sleep(0.5)
        if before and len(runs) == before:
            return before
    pytest.fail(f"The job never rested: it ran {len(runs)} times.")
