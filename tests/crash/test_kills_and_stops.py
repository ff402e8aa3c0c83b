"""Workers are killed again and again, asked to stop, or held for longer than their lease."""

import os
import random
import signal
import time

import pytest

from tests.support.crash_template import BATCH, PEOPLE
from tests.support.processes import wait_until
from tests.support.provider_faults import Fault

MOST_GROWTH_MEGABYTES = 40


@pytest.mark.requirement("F1")
def test_six_kills_at_random_moments_mail_nobody_twice_and_lose_nobody(install):
    seed = int(os.environ.get("NEWSLETTER_TEST_SEED", random.SystemRandom().randrange(10_000)))
    chance = random.Random(seed)
    here = install()
    here.provider.fault_always(Fault("slow", seconds=0.15))
    workers = [here.start("worker", "--concurrency", "2") for _ in range(2)]
    wait_until(lambda: here.provider.ledger, what="the first call")
    for _ in range(6):
        time.sleep(chance.uniform(0.05, 0.6))
        victim = chance.randrange(2)
        workers[victim].kill()
        here.expire_leases()
        workers[victim] = here.start("worker", "--concurrency", "2")
    here.provider.fault_always(None)
    time.sleep(0.5)
    here.expire_leases()
    here.wait_until_done()
    here.check_invariants(people=PEOPLE)
    uncertain = here.people_by_state()["uncertain"]
    assert uncertain <= 8 * 2 * BATCH, f"seed {seed}"
    assert len(here.count_newsletters()) >= PEOPLE - uncertain, f"seed {seed}"


@pytest.mark.requirement("F2")
@pytest.mark.requirement("F21")
def test_after_a_kill_of_everything_the_send_continues(install):
    """The memory of a worker does not grow with the people whom it mails."""
    here = install("approved")
    here.provider.fault_always(Fault("slow", seconds=0.2))
    everything = [
        here.start("scheduler"),
        here.start("worker", "--concurrency", "2"),
        here.start("worker", "--concurrency", "2"),
    ]
    wait_until(lambda: len(here.provider.ledger) >= 6, what="calls under way")
    for process in everything:
        process.kill()
    here.expire_leases()
    here.provider.fault_always(None)
    here.start("scheduler")
    worker = here.start("worker", "--concurrency", "2")
    calls = len(here.provider.ledger)
    wait_until(lambda: len(here.provider.ledger) > calls + 2, what="the first calls of the new worker")
    early = worker.peak_memory_megabytes()
    here.wait_until_done()
    assert worker.peak_memory_megabytes() - early < MOST_GROWTH_MEGABYTES
    assert here.query("SELECT COUNT(*) FROM newsletter_send") == [(1,)]
    here.check_invariants(people=PEOPLE)
    assert here.people_by_state()["uncertain"] <= 4 * BATCH


@pytest.mark.requirement("F18")
def test_a_stopping_worker_finishes_its_calls_and_begins_none(install):
    here = install()
    here.provider.fault_always(Fault("slow", seconds=1.0))
    worker = here.start("worker", "--concurrency", "4")
    wait_until(lambda: len(here.provider.ledger) >= 3, what="calls under way")
    status = worker.terminate(within=30)
    assert status == 0, worker.said()
    left = here.batches()
    assert left["submitting"] == 0
    assert left["uncertain"] == 0
    assert left["pending"] >= 20
    calls = len(here.provider.ledger)
    time.sleep(0.5)
    assert len(here.provider.ledger) == calls
    here.provider.fault_always(None)
    here.start("worker")
    here.wait_until_done()
    here.check_invariants(people=PEOPLE)
    assert here.send_state() == "submitted"
    assert len(here.count_newsletters()) == PEOPLE


@pytest.mark.requirement("F18")
@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGHUP], ids=["stopped", "terminal-closed"])
def test_a_stopped_send_command_leaves_no_call_unanswered(install, by):
    here = install("approved")
    here.provider.fault_always(Fault("slow", seconds=1.0))
    [(issue,)] = here.query("SELECT id FROM newsletter_issue")
    command = here.start("send", str(issue), "--now")
    wait_until(lambda: len(here.provider.ledger) >= 3, what="calls under way")
    assert command.terminate(within=30, by=by) == 128 + by, command.said()
    assert "Stopping after the current call." in command.said()
    assert "sends the rest" in command.said()
    left = here.batches()
    assert (left["submitting"], left["uncertain"]) == (0, 0)
    assert left["pending"] > 0
    here.provider.fault_always(None)
    here.start("worker")
    here.wait_until_done()
    here.check_invariants(people=PEOPLE)
    assert len(here.count_newsletters()) == PEOPLE


@pytest.mark.requirement("F22")
def test_a_worker_that_lost_its_lease_does_not_call(install):
    here = install()
    sleeper = here.start("worker", "--concurrency", "1", stall="building")
    here.wait_for_stall()
    [(held, seq)] = here.query("SELECT id, seq FROM newsletter_batch WHERE state = 'submitting'")
    sleeper.pause()
    here.expire_leases()
    other = here.start("worker")
    here.wait_until_done()
    assert other.terminate() == 0
    had = here.count_newsletters()
    here.release_stalled()
    sleeper.resume()
    time.sleep(1.5)
    assert sleeper.terminate() == 0
    assert here.count_newsletters() == had
    here.check_invariants(people=PEOPLE)
    assert here.query("SELECT state FROM newsletter_batch WHERE id = ?", held) == [("uncertain",)], seq
    assert here.send_state() == "needs_attention"


@pytest.mark.requirement("F22")
def test_a_result_after_the_lease_changes_nothing_and_mails_nobody_twice(install):
    here = install()
    here.provider.fault_on(1, Fault("slow", seconds=3.0))
    sleeper = here.start("worker", "--concurrency", "1")
    wait_until(lambda: here.provider.ledger, what="the slow call")
    sleeper.pause()
    here.expire_leases()
    here.start("worker")
    here.wait_until_done()
    sleeper.resume()
    time.sleep(1.0)
    assert sleeper.terminate() == 0
    here.check_invariants(people=PEOPLE)
