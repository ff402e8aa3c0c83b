"""A database that freezes, crashes or is absent delays a send and harms nobody, with either engine."""

import math
import os
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from newsletter.jobs.catalogue import JOBS, WORKER
from tests.support.crash_template import BATCH, PEOPLE, prepare_template
from tests.support.disk import fill_up, small_disk
from tests.support.fake_provider import FakeProvider
from tests.support.migrated_database import SERVER
from tests.support.postgres import Cluster, copy_to, temporary_cluster
from tests.support.processes import Installation, wait_for_start, wait_until
from tests.support.provider_faults import Fault

pytestmark = pytest.mark.skipif(not SERVER, reason="a database on a server; SQLite's is a file")
FROZEN_SECONDS = 2.0
AWAY_SECONDS = 3.0
# Each job of a worker tries once an interval, however long the database is away, and so does the heartbeat.
MOST_CONNECTIONS = 1 + sum(math.ceil(AWAY_SECONDS / job.every_seconds) + 1 for job in JOBS if job.role == WORKER)
MOST_PROCESSOR = 0.5


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A server of this module's own: it is stopped while others use theirs."""
    with temporary_cluster() as made:
        yield made


@pytest.mark.parametrize("engine", ["procrastinate", "embedded"])
@pytest.mark.requirement("F3")
def test_a_send_survives_a_frozen_a_crashed_and_an_absent_database(
    engine: str, cluster: Cluster, fake_provider: FakeProvider, shared_folder: Path, tmp_path: Path
) -> None:
    template = prepare_template(folder=shared_folder, people=PEOPLE, state="begun", batch=BATCH)
    url = copy_to(cluster, url=template, name=engine)
    here = Installation(folder=tmp_path, database_url=url, provider=fake_provider, engine=engine, batch=BATCH)
    provider = here.provider
    provider.fault_always(Fault("slow", seconds=0.4))
    worker = here.start("worker", "--concurrency", "2")
    try:
        wait_for_start(worker, lambda: len(provider.ledger) >= 3, what="the first calls")

        cluster.freeze()
        used, before = worker.cpu_seconds(), len(provider.ledger)
        time.sleep(FROZEN_SECONDS)
        assert worker.cpu_seconds() - used < MOST_PROCESSOR * FROZEN_SECONDS, "it ran in a circle"
        assert len(provider.ledger) <= before + 2, "a call was made whose claim could not be written"
        cluster.thaw()
        wait_until(lambda: len(provider.ledger) > before + 2, what="calls after the freeze")

        cluster.stop(at_once=True)
        used, before = worker.cpu_seconds(), len(provider.ledger)
        tries = count_connections(cluster.port, after=1.0, seconds=AWAY_SECONDS)
        assert tries <= MOST_CONNECTIONS, f"{tries} tries to connect in {AWAY_SECONDS} s"
        assert worker.cpu_seconds() - used < MOST_PROCESSOR * (AWAY_SECONDS + 1), "it ran in a circle"
        assert len(provider.ledger) <= before + 2, "a call was made whose claim could not be written"
        cluster.start()
        wait_until(lambda: len(provider.ledger) > before + 2, what="calls after the crash")

        provider.fault_always(None)
        wait_until(lambda: here.batches()["pending"] == 0, what="the rest of the batches")
        here.expire_leases()
        here.wait_until_done()
        here.check_invariants(people=PEOPLE)
        assert here.query("SELECT COUNT(*) FROM newsletter_attempt") >= [(len(provider.ledger),)]
        assert here.people_by_state()["uncertain"] <= 4 * BATCH
        assert worker.running
        assert worker.terminate() == 0
    finally:
        here.end()


@pytest.mark.skipif(os.geteuid() != 0, reason="a small file system can only be mounted by root")
@pytest.mark.requirement("F10")
def test_a_full_disk_of_the_database_stops_sending_before_a_call(
    fake_provider: FakeProvider, shared_folder: Path, tmp_path: Path
) -> None:
    """PostgreSQL may give up altogether; once it has room and runs, the send goes on."""
    template = prepare_template(folder=shared_folder, people=PEOPLE, state="begun", batch=BATCH)
    provider = fake_provider
    with open_folder() as folder, small_disk(folder, megabytes=256) as disk, temporary_cluster(disk) as cluster:
        url = copy_to(cluster, url=template, name="full")
        here = Installation(folder=tmp_path, database_url=url, provider=provider, engine="embedded", batch=BATCH)
        provider.fault_always(Fault("slow", seconds=0.4))
        worker = here.start("worker", "--concurrency", "2")
        try:
            wait_for_start(worker, lambda: len(provider.ledger) >= 3, what="the first calls")
            filler = disk / "filler"
            fill_up(filler)
            use_up_the_log(here)
            wait_until(lambda: "ERROR" in worker.said(), what="a word about the database")
            time.sleep(1.5)
            calls = len(provider.ledger)
            fill_up(filler)
            time.sleep(1.5)
            assert len(provider.ledger) == calls, "a call was made whose claim could not be written"
            assert worker.running
            filler.unlink()
            cluster.stop(at_once=True)
            cluster.start()
            provider.fault_always(None)
            wait_until(lambda: here.batches()["pending"] == 0, what="the rest of the batches")
            here.expire_leases()
            here.wait_until_done()
            here.check_invariants(people=PEOPLE)
            assert worker.terminate() == 0
        finally:
            here.end()


def use_up_the_log(here: Installation) -> None:
    """Use up the server's preallocated log, so that it needs space that the disk does not have."""
    for _ in range(60):
        try:
            here.query("SELECT txid_current()")
            here.query("SELECT pg_switch_wal()")
        except psycopg.Error:
            return
    raise AssertionError("the disk of the database did not fill up")


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that the user of the server may reach, which those of the tests are not."""
    with tempfile.TemporaryDirectory(prefix="newsletter-disk-") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


def count_connections(port: int, *, after: float, seconds: float) -> int:
    """Stand where the server stood for a while, hang up on everybody, and count those who come ``after`` so long."""
    tries = 0
    begun = time.monotonic()
    with socket.create_server(("127.0.0.1", port)) as door:
        door.settimeout(0.1)
        while time.monotonic() < begun + after + seconds:
            try:
                door.accept()[0].close()
            except TimeoutError:
                continue
            tries += time.monotonic() >= begun + after
    return tries
