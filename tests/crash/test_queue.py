"""Procrastinate's queue is never the only record: its jobs may be lost, doubled or left behind."""

import os
import subprocess
import sys

import psycopg
import pytest

from tests.support.crash_template import PEOPLE
from tests.support.migrated_database import SERVER
from tests.support.processes import wait_until
from tests.support.provider_faults import Fault, too_many

needs_postgres = pytest.mark.skipif(not SERVER, reason="Procrastinate keeps its queue in PostgreSQL")
JOBS = "SELECT COUNT(*) FROM procrastinate_jobs WHERE task_name = 'newsletter.dispatch' AND status = 'todo'"


@needs_postgres
def test_every_batch_gets_its_job_in_the_transaction_of_the_start(install):
    here = install()
    assert here.query(JOBS) == [(30,)]
    jobs = here.query("SELECT DISTINCT queue_name, priority FROM procrastinate_jobs WHERE status = 'todo'")
    assert jobs == [("bulk", -4)]


@needs_postgres
def test_lost_jobs_are_created_again_from_the_rows(install):
    here = install()
    here.query("DELETE FROM procrastinate_jobs")
    here.start("worker")
    here.wait_until_done()
    here.check_invariants(people=PEOPLE)
    assert len(here.count_newsletters()) == PEOPLE


@needs_postgres
def test_duplicate_jobs_find_nothing_to_do(install):
    here = install()
    here.query(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args)"
        " SELECT queue_name, task_name, priority, args FROM procrastinate_jobs"
    )
    assert here.query(JOBS) == [(60,)]
    workers = [here.start("worker", "--concurrency", "4") for _ in range(2)]
    here.wait_until_done()
    wait_until(lambda: here.query(JOBS) == [(0,)], what="the end of the doubled jobs")
    here.check_invariants(people=PEOPLE)
    assert set(here.count_newsletters().values()) == {1}
    assert [worker.terminate() for worker in workers] == [0, 0]


@needs_postgres
@pytest.mark.requirement("F4")
def test_a_batch_that_waits_long_does_not_block_a_thread(install):
    here = install()
    here.provider.fault_next(too_many("600"))
    here.start("worker", "--concurrency", "1")
    wait_until(
        lambda: (
            here.query("SELECT COUNT(*) FROM procrastinate_jobs WHERE scheduled_at > now() + interval '5 minutes'")
            != [(0,)]
        ),
        what="the job for later",
    )
    assert here.batches()["submitting"] <= 1


@needs_postgres
@pytest.mark.requirement("F3")
def test_a_worker_recovers_after_all_its_connections_were_cut(install):
    here = install()
    here.provider.fault_always(Fault("slow", seconds=0.3))
    worker = here.start("worker", "--concurrency", "2")
    wait_until(lambda: len(here.provider.ledger) >= 3, what="the first calls")
    here.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    here.provider.fault_always(None)
    wait_until(lambda: here.batches()["pending"] == 0, what="the rest of the batches")
    here.expire_leases()
    here.wait_until_done()
    here.check_invariants(people=PEOPLE)
    assert worker.running
    assert worker.terminate() == 0


def test_an_impossible_engine_is_refused_with_what_to_do(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "newsletter.project.cli", "worker"],
        env={
            **os.environ,
            "NEWSLETTER_ENGINE": "procrastinate",
            "DATABASE_URL": f"sqlite:///{tmp_path}/a.sqlite3",
            "NEWSLETTER_DATA_DIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "needs PostgreSQL" in done.stderr
    assert "DATABASE_URL" in done.stderr


@needs_postgres
@pytest.mark.requirement("F22")
def test_a_worker_stalled_in_a_transaction_does_not_block_the_others(install):
    here = install()
    [(stuck,)] = here.query("SELECT MIN(id) FROM newsletter_batch")
    here.query(
        "UPDATE newsletter_batch SET state = 'submitting', handed_to = account, attempt_number = 1,"
        " lease_until = now() - interval '1 hour' WHERE id = ?",
        stuck,
    )
    with psycopg.connect(here.database_url) as sleeper:
        sleeper.execute("SELECT id FROM newsletter_batch WHERE id = %s FOR UPDATE", [stuck])
        here.start("worker")
        wait_until(lambda: here.batches()["accepted"] == 29, what="all batches but the one that is held")
        assert here.batches()["submitting"] == 1
    wait_until(lambda: here.batches()["uncertain"] == 1, what="the sweep of the batch that was held")


@needs_postgres
@pytest.mark.requirement("F22")
def test_a_worker_stalled_in_the_queues_transaction_blocks_no_other(install):
    """Its session is ended by the database: until then no other worker can send a signal, and nothing is swept."""
    here = install()
    sleeper = here.start("worker", "--concurrency", "1", stall="queue")
    here.wait_for_stall()
    sleeper.pause()
    here.expire_leases()
    here.start("worker")
    here.wait_until_done()
    sleeper.resume()
    here.release_stalled()
    here.check_invariants(people=PEOPLE)
    assert sleeper.running
