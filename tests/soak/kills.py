"""Thirty kills: python -m tests.soak.kills [--people N] [--kills K] [--seed S] [--sqlite]

Workers of one send are killed, one at a time, at random moments. Prints one line; the provider's ledger decides. On
PostgreSQL with its queue if its binaries are installed, otherwise on SQLite with the embedded engine.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.soak.site import choose_database

WORKERS, CONCURRENCY, BATCH = 3, "4", 250
LASTS_SECONDS = 60


def kill_at_random(*, people: int, kills: int, seed: int, shared: Path) -> str:
    """Return the summary line. Raise AssertionError if a promise was broken."""
    from tests.support.crash_template import ENGINE, prepare_template
    from tests.support.fake_provider import FakeProvider
    from tests.support.migrated_database import SERVER
    from tests.support.processes import OPEN, Installation, copy_database, drop_database, wait_until
    from tests.support.provider_faults import Fault

    chance, started = random.Random(seed), time.monotonic()
    provider = FakeProvider().start()
    template = prepare_template(folder=shared, people=people, state="begun", batch=BATCH)
    folder = Path(tempfile.mkdtemp(prefix="newsletter-kills-"))
    here = Installation(
        folder=folder, database_url=copy_database(template, to=folder), provider=provider, engine=ENGINE, batch=BATCH
    )
    here.set_provider(f"{provider.provider_url}&max_batch={BATCH}&people_per_second={people // LASTS_SECONDS}")
    provider.fault_always(Fault("slow", seconds=0.6))
    try:
        workers = [here.start("worker", "--concurrency", CONCURRENCY) for _ in range(WORKERS)]
        wait_until(lambda: provider.ledger, what="the first call")
        for number in range(kills):
            time.sleep(chance.uniform(0.2, 2.5))
            assert any(here.batches()[state] for state in OPEN), f"the send was over after {number} kills"
            victim = chance.randrange(WORKERS)
            workers[victim].kill()
            workers[victim] = here.start("worker", "--concurrency", CONCURRENCY)
        provider.fault_always(None)
        here.expire_leases()
        here.wait_until_done(seconds=300)
        here.check_invariants(people=people)
        states = here.people_by_state()
        assert 0 < states["uncertain"] <= kills * int(CONCURRENCY) * BATCH
        return (
            f"{kills} kills, {people:,} people on {'PostgreSQL' if SERVER else 'SQLite'} ({ENGINE}) in "
            f"{time.monotonic() - started:.0f} s: nobody twice, nobody lost; {states['accepted']:,} accepted, "
            f"{states['uncertain']:,} uncertain; {len(provider.ledger):,} calls (seed {seed})"
        )
    finally:
        here.end()
        provider.stop()
        drop_database(here.database_url)
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=50_000)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sqlite", action="store_true", help="on SQLite, although PostgreSQL is here")
    options = parser.parse_args()
    with ExitStack() as stack:
        place = choose_database(stack, sqlite=options.sqlite)
        try:
            line = kill_at_random(people=options.people, kills=options.kills, seed=options.seed, shared=place.folder)
        except AssertionError as error:
            sys.stdout.write(f"BROKEN: {error}\n")
            return 1
    sys.stdout.write(line + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
