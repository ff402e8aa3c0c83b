"""One prepared database for all crash tests, made once a run, and a copy of it for each."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.support.fake_provider import FakeProvider
from tests.support.processes import Installation, connect, copy_database, drop_database, maintenance_url

PEOPLE = 3_000
BATCH = 100
SERVER = os.environ.get("NEWSLETTER_TEST_DATABASE_URL", "")
ENGINE = "procrastinate" if SERVER else "embedded"
ENGINES = ["procrastinate", "embedded"] if SERVER else ["embedded"]

Install = Callable[..., Installation]


def prepare_template(*, folder: Path, people: int, state: str, batch: int) -> str:
    """The URL of a database with an issue in that state, made by whichever test process is first.

    A send that was begun is begun in a copy of the database where it was approved.
    """
    url = _template_url(folder, f"template_{state}_{people}")
    before = prepare_template(folder=folder, people=people, state="approved", batch=batch) if state == "begun" else ""
    with (folder / f"{state}-{people}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder / f"{state}-{people}.done"
        if not done.exists():
            _make_database(url, like=before)
            _fill(url, folder=folder, people=people, state=state, batch=batch)
            done.touch()
    return url


def _template_url(folder: Path, name: str) -> str:
    if not SERVER:
        return f"sqlite:///{folder / name}.sqlite3"
    return urlunsplit(urlsplit(SERVER)._replace(path=f"/{name}_{folder.name.replace('-', '_')}"))


def _make_database(url: str, *, like: str) -> None:
    """An empty one, or a copy of the one it is to be like."""
    if SERVER:
        drop_database(url)
        template = f' TEMPLATE "{urlsplit(like).path[1:]}"' if like else ""
        with connect(maintenance_url(url)) as connection:
            connection.execute(f'CREATE DATABASE "{urlsplit(url).path[1:]}"{template}')
    elif like:
        shutil.copyfile(like.removeprefix("sqlite:///"), url.removeprefix("sqlite:///"))


def _fill(url: str, *, folder: Path, people: int, state: str, batch: int) -> None:
    nowhere = f"mailgun://none@news.example.org?endpoint=http://127.0.0.1:9&max_batch={batch}"
    subprocess.run(
        [sys.executable, "-m", "tests.support.crash_data", str(people), state],
        env={
            **os.environ,
            "DATABASE_URL": url,
            "NEWSLETTER_DATA_DIR": str(folder),
            "NEWSLETTER_PROVIDER_URL": nowhere,
            "NEWSLETTER_ENGINE": ENGINE,
        },
        check=True,
        timeout=600,
    )
    if not SERVER:
        with connect(url) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all processes of this run of the tests."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own) / "crash"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def install(fake_provider: FakeProvider, shared_folder: Path, tmp_path: Path) -> Iterator[Install]:
    """Make an installation whose issue is approved, or whose send was begun; everything in it ends with the test."""
    made: list[Installation] = []

    def make(state: str = "begun", *, folder: Path = tmp_path, engine: str = ENGINE) -> Installation:
        template = prepare_template(folder=shared_folder, people=PEOPLE, state=state, batch=BATCH)
        url = copy_database(template, to=folder)
        installation = Installation(folder=folder, database_url=url, provider=fake_provider, engine=engine, batch=BATCH)
        made.append(installation)
        return installation

    yield make
    fake_provider.release()
    for installation in made:
        installation.end()
        drop_database(installation.database_url)
