"""Processes killed while a welcome mail is prepared and sent: each new subscriber has one delivery, and nobody gets it twice."""

import pytest

from tests.support.processes import JOINED, Installation, wait_until


@pytest.mark.requirement("I1")
def test_a_welcome_survives_kills_while_it_is_prepared_and_sent(install):
    here = install("welcome")
    scheduler = here.start("scheduler", stall="freezing")
    here.wait_for_stall()
    scheduler.kill()
    assert count_steps(here) == {"waiting": JOINED}
    assert here.query("SELECT COUNT(*) FROM newsletter_delivery") == [(0,)]
    last = here.start("scheduler")
    wait_until(lambda: here.batches()["pending"], what="the deliveries of the new subscribers")
    worker = here.start("worker", "--concurrency", "1", stall="after_call")
    here.wait_for_stall()
    worker.kill()
    here.expire_leases()
    here.start("worker")
    here.wait_until_done()
    here.check_invariants(people=JOINED)
    states = here.people_by_state()
    assert set(here.count_newsletters().values()) == {1}
    assert len(here.count_newsletters()) == JOINED
    assert states["uncertain"] > 0
    settled = {"accepted": states["accepted"], "sending": states["uncertain"]}
    wait_until(lambda: count_steps(here) == settled, what="the result of each step")
    assert last.terminate() == 0


def count_steps(here: Installation) -> dict[str, int]:
    return dict(here.query("SELECT state, COUNT(*) FROM newsletter_welcomestep GROUP BY state"))
