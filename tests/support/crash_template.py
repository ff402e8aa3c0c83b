"""One prepared database for all crash tests, made once a run, and copied for each."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.migrated_database import SERVER, find_migrated, make_once, template_url
from tests.support.processes import connect, drop_database, maintenance_url
from tests.support.time_limits import START_SECONDS

PEOPLE = 3_000
BATCH = 100
ENGINE = "procrastinate" if SERVER else "embedded"
OVERLAPPING = "overlapping"
"""The state of a database with three approved issues for people on one list."""
ENGINES = ["procrastinate", "embedded"] if SERVER else ["embedded"]


def prepare_template(*, folder: Path, people: int, state: str, batch: int) -> str:
    """Return the URL of a database with an issue in that state, made by whichever test process is first.

    A send that was begun, a welcome, and overlapping issues are begun in a copy of the database where the issue was approved.
    """
    url = template_url(folder, f"template_{state}_{people}")
    before = (
        prepare_template(folder=folder, people=people, state="approved", batch=batch)
        if state in ("begun", "welcome", OVERLAPPING)
        else find_migrated(folder)
    )

    def make() -> None:
        _copy(before, to=url)
        _fill(url, folder=folder, people=people, state=state, batch=batch)

    make_once(folder, f"{state}-{people}", make)
    return url


def _copy(before: str, *, to: str) -> None:
    if not SERVER:
        shutil.copyfile(before.removeprefix("sqlite:///"), to.removeprefix("sqlite:///"))
        return
    drop_database(to)
    with connect(maintenance_url(to)) as connection:
        connection.execute(f'CREATE DATABASE "{urlsplit(to).path[1:]}" TEMPLATE "{urlsplit(before).path[1:]}"')


def _fill(url: str, *, folder: Path, people: int, state: str, batch: int) -> None:
    nowhere = f"mailgun://none@news.example.org?endpoint=http://127.0.0.1:9&max_batch={batch}"
    data = folder / f"data_{people}"  # of its own: the journal of another template's send would hold this one
    data.mkdir(exist_ok=True)
    module = "tests.soak.overlapping" if state == OVERLAPPING else "tests.support.crash_data"
    subprocess.run(
        [sys.executable, "-m", module, str(people), state],
        env={
            **os.environ,
            "DATABASE_URL": url,
            "NEWSLETTER_DATA_DIR": str(data),
            "NEWSLETTER_PROVIDER_URL": nowhere,
            "NEWSLETTER_ENGINE": ENGINE,
        },
        check=True,
        timeout=max(START_SECONDS, people // 100),
    )
    if not SERVER:
        with connect(url) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
