"""F1: a worker that is killed at any step leaves nobody mailed twice and nobody lost; another one goes on."""

import pytest

from tests.crash.conftest import BATCH, PEOPLE
from tests.support.processes import wait_until
from tests.support.provider_faults import Fault


@pytest.mark.parametrize("step", ["building", "before_call", "after_call"])
def test_f1_a_worker_killed_at_a_step_loses_one_batch_of_knowledge_and_no_person(install, step):
    here = install()
    worker = here.start("worker", "--lanes", "2", stall=step)
    here.wait_for_stall()
    worker.kill()
    lost = here.batches()["submitting"]
    assert 1 <= lost <= 2
    here.let_leases_run_out()
    second = here.start("worker")
    here.wait_until_done()
    here.check_invariants(people=PEOPLE)
    left = sum(here.people_by_state()[state] for state in ("pending", "submitting"))
    assert left == 0
    assert len(here.newsletters()) >= PEOPLE - lost * BATCH
    assert second.terminate() == 0


def test_f1_a_worker_killed_during_the_call_leaves_its_batches_uncertain_until_there_is_evidence(install):
    here = install()
    here.provider.fault_next(Fault("stall_after_accepting", seconds=120), Fault("stall_before_accepting", seconds=120))
    worker = here.start("worker", "--lanes", "2")
    wait_until(lambda: here.batches()["submitting"] == 2 and len(here.provider.ledger) >= 2, what="two stalled calls")
    worker.kill()
    here.let_leases_run_out()
    here.start("worker")
    here.wait_until_done()
    here.check_invariants(people=PEOPLE)
    assert here.send_state() == "needs_attention"
    assert BATCH <= here.people_by_state()["uncertain"] <= 2 * BATCH


def test_f1_a_process_killed_in_the_middle_of_the_freeze_leaves_no_half_an_audience(install):
    here = install("approved")
    sending = here.start("send", "bench/latest", "--now", stall="freezing")
    here.wait_for_stall()
    sending.kill()
    assert here.query("SELECT COUNT(*) FROM newsletter_delivery") == [(0,)]
    assert here.provider.ledger == []
    again = here.run("send", "bench/latest", "--now")
    assert again.returncode == 0, again.stderr
    here.check_invariants(people=PEOPLE)
    assert set(here.newsletters().values()) == {1}
    assert len(here.newsletters()) == PEOPLE
