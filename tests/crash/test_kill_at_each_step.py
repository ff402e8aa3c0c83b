"""A worker killed at any step leaves nobody mailed twice and nobody lost. Another worker goes on."""

import pytest

from tests.support.crash_template import BATCH, ENGINES, PEOPLE
from tests.support.processes import Installation, wait_until
from tests.support.provider_faults import Fault

pytestmark = [
    pytest.mark.requirement("I1"),
    pytest.mark.requirement("I2"),
    pytest.mark.requirement("I4"),
    pytest.mark.requirement("I5"),
]

STEPS = ("building", "before_call", "during_call", "after_call", "after_outcome")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.requirement("F1")
def test_workers_killed_at_each_step_lose_nobody(install, engine):
    """After the claim and its intent, before, during and after the call, and after its outcome was written."""
    here = install(engine=engine)
    lost = {step: kill_at(step, here) for step in STEPS}
    assert lost["after_outcome"] <= 1, "a batch whose outcome was written was lost"
    assert all(1 <= lost[step] <= 2 for step in STEPS[:-1]), lost
    last = here.start("worker")
    here.wait_until_done()
    here.check_invariants(people=PEOPLE)
    states = here.people_by_state()
    assert states["accepted"] + states["uncertain"] == PEOPLE
    assert BATCH <= states["uncertain"] <= sum(lost.values()) * BATCH
    assert len(here.count_newsletters()) >= PEOPLE - sum(lost.values()) * BATCH
    assert here.send_state() == "needs_attention"
    assert last.terminate() == 0


@pytest.mark.requirement("F1")
def test_repeatable_calls_of_killed_workers_end_accepted_without_staff(install):
    """Resend answers a repeat under the same key with its first answer: nothing stays uncertain, nobody is mailed twice."""
    here = install()
    here.set_provider(f"{here.provider.url_of('resend')}&max_batch={BATCH}&calls_per_second=1000")
    lost = {step: kill_at(step, here) for step in STEPS}
    assert all(1 <= lost[step] <= 2 for step in STEPS[:-1]), lost
    here.start("worker")
    wait_until(lambda: here.send_state() == "submitted", what="the end of the send")
    here.check_invariants(people=PEOPLE)
    assert here.people_by_state() == {"accepted": PEOPLE}
    assert set(here.count_newsletters().values()) == {1}
    assert len(here.count_newsletters()) == PEOPLE
    again = here.query("SELECT SUM(attempt_number - 1) FROM newsletter_batch")
    assert again >= [(sum(lost.values()) - lost["after_outcome"],)], "what was lost was not called again"


def kill_at(step: str, here: Installation) -> int:
    """Start a worker, kill it at that step, let its leases run out. Gives how many batches it held."""
    here.provider.fault_always(Fault("slow", seconds=0.1))
    if step == "during_call":
        calls = len(here.provider.ledger)
        stalls = [Fault("stall_after_accepting", seconds=60), Fault("stall_before_accepting", seconds=60)]
        here.provider.fault_next(*stalls)
        worker = here.start("worker", "--concurrency", "2")
        wait_until(lambda: len(here.provider.ledger) >= calls + 2, what="two stalled calls")
    else:
        worker = here.start("worker", "--concurrency", "2", stall=step)
        here.wait_for_stall()
    worker.kill()
    lost = here.batches()["submitting"]
    here.expire_leases()
    here.provider.fault_always(None)
    return lost


@pytest.mark.requirement("F1")
def test_a_process_killed_during_the_freeze_leaves_no_half_audience(install):
    here = install("approved")
    sending = here.start("send", "bench/latest", "--now", stall="freezing")
    here.wait_for_stall()
    sending.kill()
    assert here.query("SELECT COUNT(*) FROM newsletter_delivery") == [(0,)]
    assert here.provider.ledger == []
    again = here.run("send", "bench/latest", "--now")
    assert again.returncode == 0, again.stderr
    here.check_invariants(people=PEOPLE)
    assert set(here.count_newsletters().values()) == {1}
    assert len(here.count_newsletters()) == PEOPLE
