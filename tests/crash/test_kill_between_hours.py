"""A worker killed between two readers' hours: nobody's hour is brought forward, and nobody is mailed twice or skipped."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.crash_template import ENGINES, PEOPLE
from tests.support.processes import Installation, wait_until

SECONDS_TO_LATER_HOUR = 10


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.requirement("F1")
def test_a_worker_killed_between_hours_leaves_the_later_hour_whole(install, engine):
    here = install(engine=engine)
    now = datetime.now(UTC)
    here.query("UPDATE newsletter_batch SET due_at = ? WHERE seq <= 15", _write(now))
    here.query("UPDATE newsletter_send SET checked_until = ?", _write(now))
    set_later_hour(here, now + timedelta(days=1))
    worker = here.start("worker")
    wait_until(lambda: here.batches()["accepted"] == 15, what="the end of the first hour")
    worker.kill()
    assert here.batches() == {"accepted": 15, "pending": 15}
    # Only now, because nobody knows how long a busy machine takes to start the worker.
    later = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=SECONDS_TO_LATER_HOUR)
    set_later_hour(here, later)
    last = here.start("worker")
    here.wait_until_done()
    assert datetime.now(UTC) >= later
    here.check_invariants(people=PEOPLE)
    assert here.people_by_state() == {"accepted": PEOPLE}
    assert set(here.count_newsletters().values()) == {1}
    assert count_calls_before(here, later) == 0
    assert last.terminate() == 0


def set_later_hour(here: Installation, later: datetime) -> None:
    """Let the second half of the batches wait until then."""
    here.query("UPDATE newsletter_batch SET due_at = ? WHERE seq > 15", _write(later))
    here.query("UPDATE newsletter_send SET local_time = ?", f"{later:%Y-%m-%dT%H:%M}")


def count_calls_before(here: Installation, moment: datetime) -> int:
    """Return how many calls of the later hour began before it."""
    calls = "SELECT COUNT(*) FROM newsletter_attempt a JOIN newsletter_batch b ON b.id = a.batch_id"
    return int(here.query(f"{calls} WHERE b.seq > 15 AND a.started_at < ?", _write(moment))[0][0])


def _write(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}+00:00"
