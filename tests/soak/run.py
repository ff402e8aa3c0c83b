"""The soak: python -m tests.soak.run [--people N] [--seeds 1 2 3] [--minutes M] [--sqlite]

Three sends to the same people while everything goes wrong at random, by a seed: one by readers' hours, all with some of the same
stories, and a limit of mails. See tests/soak/overlapping.py and tests/soak/troubles.py. Prints one line a seed; the provider's
ledger decides. On PostgreSQL if its binaries are installed, otherwise on SQLite.
"""

import argparse
import random
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import psycopg

from tests.soak.site import SoakSite, choose_database

MAX_PEOPLE = 500
SETTLED_WITHIN_SECONDS = 600.0
HOUR_COMES = 0.2
"""The share of troubles after which the next readers' hour may come."""


def soak(*, seed: int, people: int, lasts: int, place: SoakSite, until: float, measure: bool) -> str:
    """Make the sends of one seed. Return the summary line. Raise AssertionError if a promise was broken."""
    from tests.soak.checks import (
        Facts,
        check_people,
        check_reports,
        check_restraint,
        check_uncertain,
        check_unsubscribes,
        count_moved,
    )
    from tests.soak.database import make_data_folder
    from tests.soak.hours import Hours
    from tests.soak.overlapping import PUBLICATIONS, REGION
    from tests.soak.pauses import Pauses
    from tests.soak.plan import choose_plan
    from tests.soak.reports import Reports
    from tests.soak.settling import settle
    from tests.soak.troubles import JUMPS, Troubles
    from tests.support.crash_template import ENGINE, OVERLAPPING, prepare_template
    from tests.support.fake_provider import FakeProvider
    from tests.support.migrated_database import SERVER
    from tests.support.processes import OPEN, Installation, copy_database, drop_database, wait_until

    started, chance, plan = time.monotonic(), random.Random(seed), choose_plan(seed, people=people)
    provider = FakeProvider(keep_mails=False).start()
    template = prepare_template(folder=place.folder, people=people, state=OVERLAPPING, batch=MAX_PEOPLE)
    folder = make_data_folder(place, name=f"seed-{seed}")
    logs = place.folder / f"logs-{seed}"
    logs.mkdir()
    here = Installation(
        folder=folder,
        database_url=copy_database(template, to=folder),
        provider=provider,
        engine=ENGINE,
        batch=plan.batch,
        logs=logs,
    )
    here.set_provider(plan.url(provider, people_per_second=max(2 * people // lasts, 1)))
    troubles = Troubles(here, chance=chance, people=people, place=place, diary=logs / "troubles.txt")
    reports = Reports(provider, plan=plan, chance=random.Random(seed + 1), people=people, port=lambda: troubles.port)
    pauses, hours = Pauses(here, by_hand=troubles.by_hand), Hours(here)
    [(in_region,)] = here.query(
        "SELECT COUNT(*) FROM subscribers_subscriber s JOIN subscribers_subscriberlocation p ON p.id = s.place_id"
        " WHERE p.region = ?",
        REGION,
    )
    try:
        troubles.start_workers()
        wait_until(lambda: len(provider.ledger) > 5, seconds=120, what="the first calls")
        frozen = "SELECT COUNT(*) FROM newsletter_send WHERE state NOT IN ('preparing', 'ready')"
        wait_until(lambda: here.query(frozen) == [(PUBLICATIONS,)], seconds=240, every=0.5, what="three sends")
        reports.start()
        recovery = troubles.measure_recovery() if measure else None
        while time.monotonic() < until and any(here.batches()[state] for state in OPEN):
            time.sleep(chance.uniform(0.05, 0.4))
            troubles.cause_trouble()
            troubles.restart_dead_processes()
            pauses.resume(done=troubles.done)
            if chance.random() < HOUR_COMES:
                hours.come()
        troubles.cause_rare_trouble()
        provider.release()
        facts = Facts(here)
        settle(
            here,
            troubles=troubles,
            pauses=pauses,
            hours=hours,
            reports=reports,
            facts=facts,
            scheme=plan.scheme,
            seconds=SETTLED_WITHIN_SECONDS,
        )
        facts = Facts(here, known=facts)
        check_people(here, provider)
        restraint = check_restraint(here, provider, in_region=int(in_region))
        hours.check(provider, facts)
        reached, longest = check_unsubscribes(provider, troubles.readers, facts, jumps=JUMPS)
        check_reports(here, reports)
        left = check_uncertain(here, provider, reports, facts, scheme=plan.scheme)
        states = here.people_by_state()
        return (
            f"seed {seed} ({plan.words}): {people:,} people on {'PostgreSQL' if SERVER else 'SQLite'} ({ENGINE}) in "
            f"{time.monotonic() - started:.0f} s, {PUBLICATIONS} publications; {restraint}. {hours.came} readers' hours came, "
            f"and no call before its own. Nobody got an issue twice, nobody was lost: {states['accepted']:,} accepted, "
            f"{states['skipped']:,} unsubscribed before the send, {states['uncertain']:,} uncertain ({left}), "
            f"{states['rejected']:,} rejected; {len(provider.ledger):,} calls. {len(troubles.readers.gone_at)} people "
            f"got the page that they are unsubscribed, and no later call contained them; {reached} were in a call under way, at "
            f"most {longest:.2f} s. {count_moved(provider, troubles.readers)} mailed at their new address. Reports: "
            f"{reports.posted:,} received, {reports.lost:,} lost, {reports.forged} forged and refused, none unapplied. Pauses: "
            f"{_count(pauses.seen) or 'none'}. "
            + (f"A killed worker's batches settled after {recovery:.0f} s. " if recovery is not None else "")
            + f"Troubles: {_count(troubles.done)}"
            + (f"; not to be had here: {', '.join(troubles.absent)}" if troubles.absent else "")
        )
    finally:
        reports.end()
        troubles.end()
        provider.stop()
        here.end()
        drop_database(here.database_url)
        shutil.rmtree(folder, ignore_errors=True)


def prepare(place: SoakSite, *, people: int) -> None:
    """Prepare what all seeds have in common."""
    from tests.support.crash_template import OVERLAPPING, prepare_template

    prepare_template(folder=place.folder, people=people, state=OVERLAPPING, batch=MAX_PEOPLE)


def _count(done: dict[str, int]) -> str:
    return ", ".join(f"{count} × {name}" for name, count in sorted(done.items()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=200_000)
    parser.add_argument("--lasts", type=int, default=90, help="seconds that a send takes at its rate, without troubles")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--minutes", type=float, default=17, help="for all seeds; the kills before have the rest of 20")
    parser.add_argument("--sqlite", action="store_true", help="on SQLite, although PostgreSQL is here")
    parser.add_argument("--keep-logs", type=Path, help="a folder for what the processes said")
    options = parser.parse_args()
    end = time.monotonic() + options.minutes * 60
    broken = 0
    with ExitStack() as stack:
        place = choose_database(stack, sqlite=options.sqlite)
        prepare(place, people=options.people)
        for number, seed in enumerate(options.seeds):
            share = (end - time.monotonic()) / (len(options.seeds) - number)
            try:
                line = soak(
                    seed=seed,
                    people=options.people,
                    lasts=options.lasts,
                    place=place,
                    until=time.monotonic() + share * 0.6,
                    measure=number == 0,
                )
            except (AssertionError, psycopg.Error, OSError, subprocess.SubprocessError) as error:
                broken += 1
                line = f"seed {seed}: BROKEN: {error}"
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
            if options.keep_logs:
                shutil.copytree(place.folder / f"logs-{seed}", options.keep_logs / f"logs-{seed}", dirs_exist_ok=True)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
