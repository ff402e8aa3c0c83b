"""The end of a soak: troubles stop, waits pass, and everything that can be settled is settled."""

import time

from tests.soak.checks import UNAPPLIED, Facts, find_unsettled
from tests.soak.hours import Hours
from tests.soak.pauses import Pauses
from tests.soak.reports import Reports
from tests.soak.troubles import Troubles
from tests.support.processes import OPEN, Installation, wait_until

_THREE_MINUTES_AGO = {
    "sqlite": "datetime(started_at, '-3 minutes')",
    "postgres": "started_at - INTERVAL '3 minutes'",
}


def settle(
    here: Installation,
    *,
    troubles: Troubles,
    pauses: Pauses,
    hours: Hours,
    reports: Reports,
    facts: Facts,
    scheme: str,
    seconds: float,
) -> None:
    """Wait until each send has ended and nothing more can be settled. Raise AssertionError if that takes too long."""
    here.expire_leases()
    troubles.restart_dead_processes()
    end = time.monotonic() + seconds
    while any(here.batches()[state] for state in OPEN):
        assert time.monotonic() < end, f"batches were still open after {seconds:.0f} s: {here.batches()}"
        pauses.resume(done=troubles.done)
        here.expire_waits()
        hours.come()
        time.sleep(1.0)
    reports.finish(seconds=seconds)
    _let_the_calls_be_old(here)
    wait_until(lambda: _look_again(here, pauses, troubles), seconds=seconds, every=1.0, what="the end of the reports")
    wait_until(
        lambda: (
            _ask_again(here, pauses, troubles)
            and not find_unsettled(here, provider=here.provider, facts=facts, scheme=scheme)
        ),
        seconds=seconds,
        every=2.0,
        what="the settling of what can be found out",
    )
    here.wait_until_done(seconds=seconds)


def _look_again(here: Installation, pauses: Pauses, troubles: Troubles) -> bool:
    """Let reports be applied again that came while their call was under way, as after half a minute."""
    pauses.resume(done=troubles.done)
    here.expire_waits()
    return here.query(UNAPPLIED) == [(0,)]


def _ask_again(here: Installation, pauses: Pauses, troubles: Troubles) -> bool:
    pauses.resume(done=troubles.done)
    here.expire_waits()
    return not any(here.batches()[state] for state in OPEN)


def _let_the_calls_be_old(here: Installation) -> None:
    """Make uncertain calls three minutes old: the program asks the provider about calls after two."""
    kind = "sqlite" if here.database_url.startswith("sqlite") else "postgres"
    here.query(f"UPDATE newsletter_attempt SET started_at = {_THREE_MINUTES_AGO[kind]} WHERE outcome = 'uncertain'")
