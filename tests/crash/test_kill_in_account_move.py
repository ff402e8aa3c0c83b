"""Processes killed while the rest of a send moves to another account: nobody is mailed twice, nobody is skipped.

The ledgers of both providers are what is believed.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.crash_template import BATCH, ENGINES, PEOPLE
from tests.support.fake_provider import FakeProvider
from tests.support.processes import Installation, Process, open_process, wait_for_start, wait_until
from tests.support.provider_faults import Fault, answer
from tests.support.time_limits import START_SECONDS

pytestmark = [pytest.mark.requirement("I1"), pytest.mark.requirement("I2")]


def connect_second(here: Installation, second: FakeProvider, *, batch: int = BATCH) -> None:
    here.add_account("backup", second, batch=batch)
    here.query("UPDATE newsletter_publication SET second_account = 'backup'")


def check(here: Installation, *, uncertain: int) -> None:
    here.check_invariants(people=PEOPLE)
    counts = here.count_newsletters()
    assert set(counts.values()) == {1}
    assert here.people_by_state()["uncertain"] <= uncertain
    assert len(counts) >= PEOPLE - uncertain
    assert here.query("SELECT COUNT(*) FROM newsletter_batch WHERE handed_to <> account AND handed_to <> ''") == [(0,)]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("size", [BATCH, 40])
def test_workers_killed_around_a_move_lose_nobody(install, second_provider, engine, size):
    """Inside the transaction of the move, after it, and during the calls of the second account."""
    here = install(engine=engine)
    connect_second(here, second_provider, batch=size)
    here.provider.fault_always(Fault("slow", seconds=0.1))
    worker = here.start("worker", "--concurrency", "2")
    wait_until(lambda: len(here.provider.accepted()) >= 4, what="calls of the first account")
    here.provider.fault_always(answer(401, b"Forbidden"))
    worker.kill()
    lost = here.batches()["submitting"]
    here.expire_leases()
    for point, moves in (("moving_account", 0), ("moved_account", 1)):
        worker = here.start("worker", "--concurrency", "2", stall=point)
        here.wait_for_stall()
        worker.kill()
        here.expire_leases()
        assert here.query("SELECT COUNT(*) FROM newsletter_accountmove") == [(moves,)]
    second_provider.fault_next(Fault("stall_after_accepting", seconds=60), Fault("stall_before_accepting", seconds=60))
    calls = len(second_provider.ledger)
    worker = here.start("worker", "--concurrency", "2")
    wait_until(lambda: len(second_provider.ledger) >= calls + 2, what="two stalled calls of the second account")
    worker.kill()
    here.expire_leases()
    second_provider.release()
    here.start("worker")
    here.wait_until_done()
    # Calls that the moved_account worker had begun when it was killed are uncertain too, at most one for each thread.
    check(here, uncertain=lost * BATCH + 12 * size)
    assert len(second_provider.accepted()) > 0
    accounts = dict(here.query("SELECT account, SUM(size) FROM newsletter_batch GROUP BY account"))
    assert set(accounts) == {"default", "backup"}


def test_moves_to_and_fro_while_workers_send_mail_nobody_twice(install, second_provider):
    here = install()
    connect_second(here, second_provider, batch=60)
    for provider in (here.provider, second_provider):
        provider.fault_always(Fault("slow", seconds=0.5))

    def count_moves() -> int:
        return int(here.query("SELECT COUNT(*) FROM newsletter_accountmove")[0][0])

    def count_calls() -> int:
        return len(here.provider.ledger) + len(second_provider.ledger)

    with moving(here, number=1) as mover:
        wait_for_start(mover, lambda: count_moves() >= 2, what="two moves")
        workers = [here.start("worker", "--concurrency", "2") for _ in range(2)]
        wait_for_start(workers[0], lambda: count_calls() >= 15, what="calls")
    before = count_moves()
    assert before > 2
    with moving(here, number=2):
        here.wait_until_done()
    check(here, uncertain=0)
    assert here.provider.accepted()
    assert second_provider.accepted()
    assert [worker.terminate() for worker in workers] == [0, 0]


@contextmanager
def moving(here: Installation, *, number: int) -> Iterator[Process]:
    """A process that moves the rest to and fro, killed at the end wherever it is."""
    command = [sys.executable, "-m", "tests.support.move_accounts", str(START_SECONDS)]
    log = here.folder / f"mover-{number}.log"
    mover = Process(open_process(command, env=here.env, log=log), log=log)
    try:
        yield mover
        assert mover.running, mover.said()
    finally:
        mover.kill()
