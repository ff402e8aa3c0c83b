"""A worker killed while people wait for a subject test: nobody gets it before the decision, nor twice, and nobody is skipped."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.crash_template import ENGINES, PEOPLE
from tests.support.processes import Installation, wait_until

_GROUP = "revision_id, variant_id, place_id, giving, radius_km, frequency, interests, seen, rules, language, fallback"


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.requirement("F1")
def test_a_worker_killed_before_the_decision_leaves_the_waiting_whole(install, engine):
    here = install(engine=engine)
    let_half_wait(here)
    worker = here.start("worker")
    wait_until(lambda: here.batches()["accepted"] == 15, what="the end of the tested mails")
    worker.kill()
    assert here.batches() == {"accepted": 15, "pending": 15}
    let_time_pass(here)
    last = here.start("worker")
    wait_until(lambda: here.query("SELECT winner FROM newsletter_subjecttest") == [(1,)], what="the decision")
    last.kill()
    here.expire_leases()
    final = here.start("worker")
    here.wait_until_done()
    here.check_invariants(people=PEOPLE)
    assert here.people_by_state()["accepted"] + here.people_by_state()["uncertain"] == PEOPLE
    assert max(here.count_newsletters().values()) == 1
    assert final.terminate() == 0


def let_half_wait(here: Installation) -> None:
    """Let the second half of the batches wait for the decision of a test."""
    now = _write(datetime.now(UTC))
    here.query("UPDATE newsletter_batch SET waits = TRUE WHERE seq > 15")
    here.query("UPDATE newsletter_send SET checked_until = ?", now)
    here.query("UPDATE newsletter_readergroup SET arm = -1")
    for arm in (1, 2):
        here.query(
            f"INSERT INTO newsletter_readergroup ({_GROUP}, empty_reason, arm, people) SELECT {_GROUP}, '', {arm}, 0 "
            "FROM newsletter_readergroup WHERE arm = -1"
        )
    here.query(
        "INSERT INTO newsletter_subjecttest (issue_id, subjects, number_of_subjects, share_percent, wait_hours, seed, "
        "outcome, measure, results) SELECT issue_id, ?, 2, 50, 1, 7, '', '', '[]' FROM newsletter_send",
        '[{"subject": "Another", "preheader": ""}]',
    )


def let_time_pass(here: Installation) -> None:
    """An hour passes since the last tested mail."""
    here.query(
        "UPDATE newsletter_batch SET settled_at = ? WHERE seq <= 15", _write(datetime.now(UTC) - timedelta(hours=2))
    )


def _write(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}+00:00"
