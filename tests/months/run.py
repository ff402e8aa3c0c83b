"""An organisation that runs by itself for months: python -m tests.months.run [--months N] [--seed S] [--postgres]

The real jobs run every two hours of a simulated clock; a site and a provider are on loopback. Meanwhile people sign up and
leave, and troubles happen by the seed: see tests/months/troubles.py. It prints what became of the weeks, every warning of the
log and the staff's notices, and fails if a promise was broken.
"""

import argparse
import os
import random
import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.project.settings")
START = datetime(2026, 2, 2, 6, tzinfo=UTC)
DAYS_IN_MONTH = 30.4
STEP = timedelta(hours=2)


def run(*, months: float, seed: int, folder: Path) -> None:
    """Let the time pass and check what came of it. Raise AssertionError if a promise was broken."""
    from newsletter.models import StaffNotice
    from tests.months.backups import Backups
    from tests.months.checks import (
        check_events,
        check_mails,
        check_mistakes,
        check_nobody_is_skipped,
        check_sends,
        check_slots,
        count_rows,
    )
    from tests.months.hours import at, logged_problems, run_jobs
    from tests.months.organisation import CAMPAIGNS, WEEKLY, Organisation
    from tests.months.own_data import OwnData, check_erased
    from tests.months.published import Published
    from tests.months.readers import Readers
    from tests.months.reports import Reports
    from tests.months.staff_work import StaffWork
    from tests.months.troubles import Troubles
    from tests.support.fake_provider import FakeProvider
    from tests.support.provider_webhooks import SIGNING_KEY
    from tests.support.web_site import serve_site

    chance, end = random.Random(seed), START + timedelta(days=months * DAYS_IN_MONTH)
    with ExitStack() as stack:
        provider = FakeProvider().start()
        stack.callback(provider.stop)
        site = stack.enter_context(serve_site())
        _use_provider(f"{provider.provider_url}&webhook_key={SIGNING_KEY}")
        reports = Reports(provider, chance=random.Random(seed + 3))
        published = Published(site, start=START, chance=random.Random(seed + 1))
        organisation, readers = Organisation(folder, site=site.url), Readers(provider, chance=chance)
        own_data = OwnData(provider, readers=readers, chance=random.Random(seed + 4))
        staff_work = StaffWork(organisation, readers=readers, folder=folder, chance=random.Random(seed + 5))
        archives = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="newsletter-archives-")))
        backups = Backups(archives, data=folder, organisation=organisation)
        troubles = Troubles(provider, published=published, organisation=organisation, chance=random.Random(seed + 2))
        with at(START):
            published.publish(START)
            organisation.set_up()
        problems = stack.enter_context(logged_problems())
        now = START
        while (now := now + STEP) < end:
            with at(now):
                if now.hour == START.hour:
                    published.publish(now)
                    troubles.pass_day(now)
                    if troubles.is_machine_lost() and (made_at := backups.restore(now)):
                        readers.forget_since(made_at)
                        reports.forget_since(made_at)
                        own_data.lose_links()
                if troubles.is_machine_off(now):
                    continue
                if now.hour == START.hour:
                    backups.back_up(now)
                reports.post(now)
                if now.hour in (8, 14, 20):
                    readers.sign_up(chance.choice((WEEKLY, WEEKLY, CAMPAIGNS)), now=now)
                if now.hour == 14:
                    own_data.ask()
                run_jobs()
                if own_data.follow_links(now):
                    run_jobs()
                    own_data.follow_links(now)
                readers.confirm(now=now)
                if now.hour == 12 and chance.random() < 0.2:
                    readers.leave(now=now)
                if now.hour == 16 and chance.random() < 0.1:
                    readers.ask_for_less()
                troubles.let_staff_work(now)
                staff_work.pause_and_resume()
                if now.hour == 12:
                    staff_work.correct_events(now)
                    staff_work.correct_mistakes(now)
                    if now.day == 20:
                        staff_work.import_people(now)
        _print(f"slots: {check_slots(start=START, end=end)}")
        _print(f"troubles: {troubles.diary}")
        _print(f"staff: {staff_work.diary}, people: {own_data.diary}")
        for key, count in problems.counts.most_common():
            _print(f"{count:>6} × {key}\n         first: {problems.first[key][:300]}")
        for notice in StaffNotice.objects.order_by("pk"):
            _print(f"notice {notice.made_at:%d %b %H:%M}: {notice.subject}")
        _print(f"rows: {count_rows()}")
        check_sends()
        check_mails(provider, readers, reports)
        check_events(provider, published)
        corrected = check_mistakes(provider, readers, reports)
        check_erased(own_data, readers)
        mailed = check_nobody_is_skipped(provider, readers, reports)
        _print(
            f"{len(readers.joined)} people joined, {len(readers.gone)} left, {len(own_data.erased)} were erased, "
            f"{len(readers.renamed)} changed their address, {len(reports.stopped)} bounced or complained; "
            f"{len(provider.accepted())} calls accepted."
        )
        _print(f"{mailed} mails of issues compared with the lists: nobody got one twice, and nobody was skipped.")
        _print(f"{corrected} mails with a mistake were corrected: each of them, and no other.")


def _use_provider(url: str) -> None:
    from django.conf import settings

    settings.NEWSLETTER_PROVIDER_URL = url


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def prepare(folder: Path, stack: ExitStack, *, postgres: bool) -> None:
    """Set the environment of this process, start Django and make an empty database."""
    import tests.support.environment  # noqa: F401 - fixed secrets and loopback only

    os.environ["NEWSLETTER_DATA_DIR"] = str(folder)
    os.environ["DATABASE_URL"] = f"sqlite:///{folder}/newsletter.sqlite3"
    if postgres:
        from tests.support.postgres import temporary_postgres

        os.environ["DATABASE_URL"] = stack.enter_context(temporary_postgres())
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--months", type=float, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgres", action="store_true", help="on a PostgreSQL of its own instead of SQLite")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="newsletter-months-")))
        prepare(folder, stack, postgres=options.postgres)
        try:
            run(months=options.months, seed=options.seed, folder=folder)
        except AssertionError as error:
            _print(f"BROKEN: {error}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
