"""A send that is half done when its installation is moved to PostgreSQL or restored: nobody is mailed twice or left out."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.crash_template import BATCH, ENGINE, PEOPLE
from tests.support.migrated_database import SERVER
from tests.support.postgres import find_binary, temporary_cluster
from tests.support.processes import Installation, connect, drop_database, maintenance_url, wait_until
from tests.support.provider_faults import Fault

Install = Callable[..., Installation]
PASSPHRASE = "five words are long enough"


def send_half(here: Installation) -> int:
    """Start the send, pause it in the middle, and stop the worker. Return how many people have the issue."""
    here.provider.fault_always(Fault("slow", seconds=0.15))
    worker = here.start("worker", "--concurrency", "2")
    wait_until(lambda: len(here.provider.ledger) >= 6, what="calls")
    here.query("UPDATE newsletter_send SET state = 'paused', reason = ? WHERE state = 'submitting'", '"paused"')
    wait_until(lambda: here.batches()["submitting"] == 0, what="the end of the last calls")
    assert worker.terminate() == 0, worker.said()
    here.provider.fault_always(None)
    sent = len(here.count_newsletters())
    assert 0 < sent < PEOPLE
    return sent


def complete(there: Installation) -> None:
    there.query("UPDATE newsletter_send SET state = 'submitting', reason = '' WHERE state = 'paused'")
    there.start("worker", "--concurrency", "2")
    there.wait_until_done()
    there.check_invariants(people=PEOPLE)
    assert len(there.count_newsletters()) == PEOPLE
    assert there.people_by_state()["uncertain"] == 0


def succeed(here: Installation, *arguments: str) -> str:
    process = here.start_without_fork(*arguments)
    assert process.popen.wait(900) == 0, process.said()
    return process.said()


@pytest.mark.long
@pytest.mark.requirement("R2")
def test_a_half_done_send_is_completed_after_backup_and_restore(install: Install, tmp_path: Path) -> None:
    (tmp_path / "before").mkdir()
    here = install(folder=tmp_path / "before")
    sent = send_half(here)
    (tmp_path / "passphrase").write_text(PASSPHRASE)
    archive, secret = str(tmp_path / "backup.zip"), ("--passphrase-file", str(tmp_path / "passphrase"))
    succeed(here, "backup", archive, *secret)
    assert "restores" in succeed(here, "backup", "--verify", archive, *secret)

    drop_database(here.database_url)
    shutil.rmtree(here.folder)
    (tmp_path / "after").mkdir()
    url = f"sqlite:///{tmp_path}/after/newsletter.sqlite3"
    if SERVER:
        url = here.database_url
        with connect(maintenance_url(url)) as server:
            server.execute(f'CREATE DATABASE "{url.rpartition("/")[2]}"')
    there = Installation(
        folder=tmp_path / "after", database_url=url, provider=here.provider, engine=ENGINE, batch=BATCH
    )
    try:
        succeed(there, "restore", archive, *secret)
        there.query("UPDATE newsletter_send SET state = 'submitting', reason = '' WHERE state = 'paused'")
        worker = there.start("worker", "--concurrency", "2")
        wait_until(lambda: "The worker is running" in worker.said(), what="the worker")
        time.sleep(3)
        assert len(there.count_newsletters()) == sent, "a restored copy mailed somebody"
        worker.terminate()
        succeed(there, "doctor", "--after-restore", "--release")
        complete(there)
    finally:
        there.end()


@pytest.mark.long
@pytest.mark.skipif(bool(SERVER), reason="a move begins on SQLite")
@pytest.mark.skipif(not find_binary("initdb"), reason="PostgreSQL's binaries are not on this machine")
def test_a_half_done_send_is_completed_after_a_move(install: Install, tmp_path: Path) -> None:
    here = install()
    sent = send_half(here)
    with temporary_cluster() as cluster:
        with connect(cluster.url()) as server:
            server.execute("CREATE DATABASE moved")
        succeed(here, "move", "--to", cluster.url("moved"))
        here.query("UPDATE newsletter_send SET state = 'submitting' WHERE state = 'paused'")
        stale = here.start("worker", "--concurrency", "2")
        there = Installation(
            folder=here.folder,
            database_url=cluster.url("moved"),
            provider=here.provider,
            engine="embedded",
            batch=BATCH,
            logs=tmp_path,
        )
        try:
            complete(there)
            assert sum(there.count_newsletters().values()) == PEOPLE
            assert here.batches()["accepted"] == sent // BATCH, "the old database went on sending"
            stale.terminate()
        finally:
            there.end()
