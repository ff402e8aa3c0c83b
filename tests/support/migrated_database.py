"""One database as migrations leave it, made once. Test processes and the programs they start use copies."""

import fcntl
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from tests.support import migration_statements
from tests.support.processes import connect, drop_database, maintenance_url
from tests.support.time_limits import START_SECONDS

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".pytest_cache" / "migrated"
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
    """Return the URL of a database with all tables, on the server of this run or in a file. Only copy it.

    The statements that make it on PostgreSQL are kept between runs, like the SQLite file.
    """
    url = template_url(folder, "migrated") if SERVER else f"sqlite:///{find_migrated_sqlite(folder)}"

    def make() -> None:
        drop_database(url)
        with connect(maintenance_url(url)) as server:
            server.execute(f'CREATE DATABASE "{urlsplit(url).path[1:]}"')
            statements = find_statements_file(server.info.server_version)
        _run_with_database("tests.support.migration_statements", str(statements), url=url, folder=folder)

    if SERVER:
        make_once(folder, "migrated-postgres", make)
    return url


def find_statements_file(version: int) -> Path:
    """Return the file of the statements that make the tables on a PostgreSQL server of this version, made or not."""
    return CACHE / f"{_hash_migrations()}.{version}.json"


def find_migrated_sqlite(folder: Path) -> Path:
    """Return an SQLite file with all tables, kept between runs until a migration or a library changes. Only copy it."""
    file = CACHE / f"{_hash_migrations()}.sqlite3"

    def make() -> None:
        if file.exists():
            return
        new = folder / "migrated.sqlite3"
        _run_with_database(
            "newsletter.project.cli", "migrate", "--verbosity", "0", url=f"sqlite:///{new}", folder=folder
        )
        with closing(sqlite3.connect(new)) as database:
            database.execute("PRAGMA journal_mode = DELETE")
        CACHE.mkdir(parents=True, exist_ok=True)
        shutil.copy(new, file.with_suffix(f".{os.getpid()}"))
        file.with_suffix(f".{os.getpid()}").rename(file)

    make_once(folder, "migrated-sqlite", make)
    return file


def _hash_migrations() -> str:
    """Return a hash of our migrations, of what records them, and of the versions of all installed libraries."""
    found = hashlib.sha256(Path(migration_statements.__file__).read_bytes())
    for app in ("newsletter", "subscribers"):
        for migration in sorted((ROOT / app / "migrations").glob("*.py")):
            found.update(migration.name.encode() + migration.read_bytes())
    found.update((ROOT / "newsletter/management/schema_snapshot.sql").read_bytes())
    installed = Path(sysconfig.get_path("purelib")).glob("*.dist-info")
    found.update("\n".join(sorted(library.name for library in installed)).encode())
    return found.hexdigest()[:16]


def template_url(folder: Path, name: str) -> str:
    """Return the URL of this run's database of that name: on the server, or a file in its folder."""
    if not SERVER:
        return f"sqlite:///{folder / name}.sqlite3"
    return server_url(f"{name}_{folder.parent.name}_{folder.name}".replace("-", "_"))


def server_url(name: str) -> str:
    """Return the URL of a database on the server of this run."""
    return urlunsplit(urlsplit(SERVER)._replace(path=f"/{name}"))


def _run_with_database(module: str, *arguments: str, url: str, folder: Path) -> None:
    settings = {
        "DJANGO_SETTINGS_MODULE": "newsletter.project.settings",
        "DATABASE_URL": url,
        "NEWSLETTER_DATA_DIR": str(folder),
    }
    command = [sys.executable, "-m", module, *arguments]
    subprocess.run(command, env={**os.environ, **settings}, cwd=ROOT, check=True, timeout=START_SECONDS)
