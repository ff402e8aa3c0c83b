"""One database as migrations leave it, made once in a test run. Test processes and the programs they start use copies."""

import fcntl
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from tests.support.processes import connect, drop_database, maintenance_url

SERVER = os.environ.get("NEWSLETTER_TEST_DATABASE_URL", "")


def make_once(folder: Path, name: str, make: Callable[[], object]) -> None:
    """Call ``make`` in the first process of this run that asks for ``name``. The others wait until it is made."""
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder / f"{name}.done"
        if not done.exists():
            make()
            done.touch()


def find_migrated(folder: Path) -> str:
    """Return the URL of a database with all tables, on the server of this run or in a file. Only copy it."""
    url = template_url(folder, "migrated") if SERVER else f"sqlite:///{find_migrated_sqlite(folder)}"

    def make() -> None:
        drop_database(url)
        with connect(maintenance_url(url)) as server:
            server.execute(f'CREATE DATABASE "{urlsplit(url).path[1:]}"')
        _migrate(url, folder)

    if SERVER:
        make_once(folder, "migrated-postgres", make)
    return url


def find_migrated_sqlite(folder: Path) -> Path:
    """Return an SQLite file with all tables. Only copy it."""
    file = folder / "migrated.sqlite3"

    def make() -> None:
        _migrate(f"sqlite:///{file}", folder)
        with closing(sqlite3.connect(file)) as database:
            database.execute("PRAGMA journal_mode = DELETE")

    make_once(folder, "migrated-sqlite", make)
    return file


def template_url(folder: Path, name: str) -> str:
    """Return the URL of this run's database of that name: on the server, or a file in its folder."""
    if not SERVER:
        return f"sqlite:///{folder / name}.sqlite3"
    return server_url(f"{name}_{folder.parent.name}_{folder.name}".replace("-", "_"))


def server_url(name: str) -> str:
    """Return the URL of a database on the server of this run."""
    return urlunsplit(urlsplit(SERVER)._replace(path=f"/{name}"))


def _migrate(url: str, folder: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "newsletter.project.cli", "migrate", "--verbosity", "0"],
        env={**os.environ, "DATABASE_URL": url, "NEWSLETTER_DATA_DIR": str(folder)},
        check=True,
        timeout=600,
    )
