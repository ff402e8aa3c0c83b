"""Several schedulers and workers at once, people who unsubscribe meanwhile, and a full disk."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.soak.addresses import address_of
from tests.soak.checks import Facts, find_opening
from tests.support.crash_template import PEOPLE
from tests.support.disk import fill_up, small_disk
from tests.support.migrated_database import SERVER
from tests.support.processes import CONFIRMING, wait_until
from tests.support.provider_faults import Fault


@pytest.mark.requirement("F12")
def test_five_schedulers_start_one_send_of_a_due_issue(install):
    here = install("approved")
    schedulers = [here.start("scheduler") for _ in range(5)]
    wait_until(lambda: here.send_state() == "submitting", what="the start of the send")
    here.start("worker")
    here.wait_until_done()
    assert here.query("SELECT COUNT(*) FROM newsletter_send") == [(1,)]
    assert all(scheduler.running for scheduler in schedulers)
    here.check_invariants(people=PEOPLE)
    assert len(here.count_newsletters()) == PEOPLE
    assert [scheduler.terminate() for scheduler in schedulers] == [0] * 5


@pytest.mark.requirement("F15")
def test_no_call_after_an_unsubscribe_contains_that_person(install):
    here = install()
    here.provider.fault_always(Fault("slow", seconds=0.3))
    here.start("worker", "--concurrency", "2")
    wait_until(lambda: here.provider.ledger, what="the first call")
    left_at: dict[str, float] = {}
    for number in range(PEOPLE, 0, -151):
        here.query(
            "UPDATE subscribers_subscription SET ended_at = ?, end_reason = 'unsubscribe' WHERE subscriber_id = ?",
            _utc(time.time()),
            number,
        )
        left_at[address_of(number)] = time.time()
        time.sleep(0.08)
    here.provider.fault_always(None)
    here.wait_until_done()
    here.check_invariants(people=PEOPLE)
    facts = Facts(here)
    for entry in here.provider.accepted():
        for address in left_at.keys() & set(entry.recipients):
            assert find_opening(entry, facts, jumps=[]) <= left_at[address], f"{address} left and was mailed"
    skipped = here.people_by_state()["skipped"]
    assert skipped == len(left_at.keys() - here.count_newsletters().keys())
    assert skipped > 0
    assert here.send_state() == "submitted"


@pytest.mark.requirement("B4")
@pytest.mark.requirement("I6")
def test_a_confirmation_does_not_wait_for_a_stuck_bulk_send(install):
    here = install()
    here.provider.fault_always(Fault("stall_after_accepting", seconds=60))
    here.start("worker", "--concurrency", "2")
    wait_until(lambda: here.batches()["submitting"] == 2 and len(here.provider.ledger) == 2, what="two stuck calls")
    here.provider.fault_always(None)
    here.query("UPDATE subscribers_confirmation SET sent_at = NULL")
    wait_until(
        lambda: here.provider.mailbox(CONFIRMING), seconds=40, what="the confirmation, while both calls are stuck"
    )
    assert here.batches()["submitting"] == 2


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "small").mkdir()
    with small_disk(tmp_path / "small", megabytes=24) as folder:
        yield folder


@pytest.mark.skipif(bool(SERVER), reason="the disk of SQLite's file; PostgreSQL's is its own server's affair")
@pytest.mark.requirement("F10")
def test_a_full_disk_stops_sending_until_there_is_room(disk, install):
    here = install(folder=disk)
    here.provider.fault_always(Fault("slow", seconds=0.3))
    worker = here.start("worker", "--concurrency", "2", log=disk.parent / "worker.log")
    wait_until(lambda: len(here.provider.ledger) >= 4, what="the first calls")
    filler = disk / "filler"
    fill_up(filler)
    wait_until(lambda: "disk" in worker.said(), what="a word about the full disk")
    time.sleep(0.5)
    calls = len(here.provider.ledger)
    time.sleep(1.0)
    assert len(here.provider.ledger) == calls, "a call was made whose claim could not be written"
    assert worker.running
    filler.unlink()
    here.provider.fault_always(None)
    wait_until(lambda: here.batches()["pending"] == 0, what="the rest of the batches")
    here.expire_leases()
    here.wait_until_done()
    here.check_invariants(people=PEOPLE)


def _utc(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S+00:00", time.gmtime(moment))
