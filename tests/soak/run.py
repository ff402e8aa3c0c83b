"""The soak: python -m tests.soak.run [--people N] [--seeds 1 2 3] [--minutes M] [--sqlite]

A send to many people while processes are killed, the provider misbehaves and readers leave, at random by a seed. Prints
one line a seed; the provider's ledger decides. On PostgreSQL where its binaries are, otherwise on SQLite.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.soak.place import choose_database

PAUSED_AGAIN = "UPDATE newsletter_send SET state = 'submitting', reason = '' WHERE state = 'paused'"
IN_FLIGHT_SECONDS = 15.0


def soak(*, seed: int, people: int, batch: int, lasts: int, shared: Path, until: float) -> str:
    """One send. Gives the summary line. Raises AssertionError where a promise was broken."""
    from tests.crash.conftest import ENGINE, SERVER, prepare_template
    from tests.soak.troubles import Troubles
    from tests.support.fake_provider import FakeProvider
    from tests.support.processes import OPEN, Installation, copy_database, drop_database, wait_until

    started = time.monotonic()
    chance = random.Random(seed)
    provider = FakeProvider().start()
    folder = Path(tempfile.mkdtemp(prefix="newsletter-soak-"))
    template = prepare_template(folder=shared, people=people, state="begun", batch=batch)
    rate = f"&people_per_second={max(people // lasts, 1)}"
    here = Installation(
        folder=folder, database_url=copy_database(template, to=folder), provider=provider, engine=ENGINE, batch=batch
    )
    here.set_provider(f"{provider.provider_url}&max_batch={batch}{rate}")
    try:
        troubles = Troubles(here, chance=chance, people=people)
        wait_until(lambda: len(provider.ledger) > 5, seconds=60, what="the first calls")
        recovery = troubles.measure_recovery(provider)
        rare = [troubles.freeze_database, troubles.restart_database] if SERVER else []
        while time.monotonic() < until and any(here.batches()[state] for state in OPEN):
            time.sleep(chance.uniform(0.2, 1.2))
            troubles.make_one()
            troubles.look_after_workers()
            here.query(PAUSED_AGAIN)
            if rare and sum(troubles.done.values()) in (12, 24):
                rare.pop()()
        provider.release()
        here.let_leases_run_out()
        here.query(PAUSED_AGAIN)
        troubles.look_after_workers()
        here.wait_until_done(seconds=max(until - time.monotonic(), 60))
        here.check_invariants(people=people)
        late = [
            address
            for entry in provider.accepted()
            for address in troubles.left_at.keys() & set(entry.recipients)
            if entry.arrived > troubles.left_at[address] + IN_FLIGHT_SECONDS
        ]
        assert not late, f"{len(late)} people were mailed after they had left"
        states = here.people_by_state()
        words = ", ".join(f"{count} × {name}" for name, count in sorted(troubles.done.items()))
        return (
            f"seed {seed}: {people:,} people on {'PostgreSQL' if SERVER else 'SQLite'} ({ENGINE}) in "
            f"{time.monotonic() - started:.0f} s; nobody twice, nobody lost: {states['accepted']:,} accepted, "
            f"{states['skipped']:,} left before, {states['uncertain']:,} uncertain, {states['rejected']:,} rejected; "
            f"{len(provider.ledger):,} calls; no call held anybody who had left; "
            f"a killed worker's batches settled after {recovery:.0f} s; {words}"
        )
    finally:
        provider.stop()
        here.end()
        drop_database(here.database_url)
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=200_000)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument(
        "--lasts", type=int, default=150, help="seconds that a send takes at its rate, without troubles"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--sqlite", action="store_true", help="on SQLite, although PostgreSQL is here")
    options = parser.parse_args()
    end = time.monotonic() + options.minutes * 60
    with ExitStack() as stack:
        choose_database(stack, sqlite=options.sqlite)
        shared = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="newsletter-soak-")))
        broken = 0
        for number, seed in enumerate(options.seeds):
            share = (end - time.monotonic()) / (len(options.seeds) - number)
            try:
                line = soak(
                    seed=seed,
                    people=options.people,
                    batch=options.batch,
                    lasts=options.lasts,
                    shared=shared,
                    until=time.monotonic() + share * 0.8,
                )
            except AssertionError as error:
                broken += 1
                line = f"seed {seed}: BROKEN: {error}"
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
