"""The database of a release as a fixture: written once by `python -m scripts.release_database`, restored by the upgrade tests.

A folder of `tests/data/releases` holds an SQLite file and a dump of PostgreSQL, both compressed, with the same rows; and
`facts.json`, which says what is in them. Reading one needs no program of PostgreSQL's.
"""

import hashlib
import json
import lzma
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.support.fake_provider import FakeProvider
from tests.support.postgres import find_binary, temporary_cluster
from tests.support.processes import connect
from tests.support.time_limits import START_SECONDS

ROOT = Path(__file__).parents[2]
RELEASES = ROOT / "tests/data/releases"
KEYS = {
    "NEWSLETTER_SECRET_KEY": "a secret of the releases' fixtures, long enough to sign with",
    "NEWSLETTER_ADDRESS_KEY": "an address key of the releases' fixtures, long enough to hash with",
}
BATCH = 4
_SQLITE, _POSTGRES, _FACTS = "newsletter.sqlite3.xz", "postgresql.sql.xz", "facts.json"
_OF_NEWER_SERVERS = re.compile(r"^(\\.*|SET \w+ = .*;|SELECT pg_catalog\.set_config.*)\n", re.MULTILINE)


@dataclass(frozen=True)
class Release:
    """The content of a fixture. ``rows`` counts each table, by "sqlite" and "postgresql".

    ``send`` is the id of the paused send, ``mailed`` has those to whom the provider had sent it by then, and ``links`` the path
    of the unsubscribe link of everybody in its audience, by address. ``migrations`` has the hash of each of our migrations.
    """

    version: str
    migrations: dict[str, str]
    rows: dict[str, dict[str, int]]
    send: int
    links: dict[str, str]
    webhook: str
    mailed: list[str]


def list_releases() -> list[Path]:
    """Return the folders of all released versions' fixtures."""
    return sorted(path.parent for path in RELEASES.glob(f"*/{_FACTS}"))


def read_release(folder: Path) -> Release:
    return Release(**json.loads((folder / _FACTS).read_text(encoding="utf-8")))


def hash_migrations() -> dict[str, str]:
    """Return the hash of each of our migrations in this checkout, by "app.name"."""
    files = [file for app in ("newsletter", "subscribers") for file in (ROOT / app / "migrations").glob("0*.py")]
    return {f"{file.parts[-3]}.{file.stem}": hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(files)}


def restore_sqlite(folder: Path, *, to: Path) -> str:
    """Write the SQLite database of a fixture into a new file and return its URL."""
    to.write_bytes(lzma.decompress((folder / _SQLITE).read_bytes()))
    return f"sqlite:///{to}"


def restore_postgres(folder: Path, *, url: str) -> None:
    """Fill an empty PostgreSQL database with that of a fixture."""
    with connect(url) as connection:
        connection.execute(lzma.decompress((folder / _POSTGRES).read_bytes()).decode())


def count_rows(url: str) -> dict[str, int]:
    """Return the number of rows of each table."""
    tables = (
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '%_fts%'"
        if url.startswith("sqlite")
        else "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    )
    with connect(url) as connection:
        names = sorted(name for (name,) in connection.execute(tables).fetchall())
        return {name: connection.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0] for name in names}


def write_release(folder: Path, *, version: str, work: Path, with_postgres: bool = True) -> Release:
    """Make the databases in the empty folder ``work`` and write the fixture into ``folder``.

    Raise CalledProcessError, with what failed on standard error.
    """
    database = work / "newsletter.sqlite3"
    env = make_environment(work, url=f"sqlite:///{database}")
    run_step(env, "week")
    provider = FakeProvider().start()
    try:
        sending = {**env, "NEWSLETTER_PROVIDER_URL": f"{provider.provider_url}&max_batch={BATCH}"}
        paused = json.loads(run_step(sending, "pause"))
        mailed = sorted(address for entry in provider.accepted() for address in entry.recipients)
    finally:
        provider.stop()
    folder.mkdir(parents=True, exist_ok=True)
    small = work / "small.sqlite3"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("VACUUM INTO ?", [str(small)])
    (folder / _SQLITE).write_bytes(_compress(small.read_bytes()))
    rows = {"sqlite": count_rows(f"sqlite:///{small}")}
    if with_postgres:
        rows["postgresql"] = _write_postgres(folder, env=env)
    release = Release(version=version, migrations=hash_migrations(), rows=rows, mailed=mailed, **paused)
    (folder / _FACTS).write_text(json.dumps(asdict(release), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return release


def make_environment(folder: Path, *, url: str) -> dict[str, str]:
    """Return the environment of the product's processes on a fixture's database, with this data folder."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
    return {
        **others,
        **KEYS,
        "DATABASE_URL": url,
        "NEWSLETTER_ENV_FILE": os.devnull,
        "NEWSLETTER_DATA_DIR": str(folder),
        "NEWSLETTER_ENGINE": "embedded",
        "NEWSLETTER_PROVIDER_URL": "outbox://",
        "NEWSLETTER_FETCH_ALLOW": "127.0.0.1",
        "NEWSLETTER_LINK_CHECKS": "false",
        "NEWSLETTER_PRODUCTION": "false",
    }


def run_step(env: dict[str, str], step: str) -> str:
    """Run a step of `release_sample` and return what it printed."""
    command = [sys.executable, "-m", "tests.support.release_sample", step]
    return subprocess.run(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=True, timeout=START_SECONDS
    ).stdout


def _write_postgres(folder: Path, *, env: dict[str, str]) -> dict[str, int]:
    """Move the database to a new PostgreSQL server, dump it and return the number of rows of each table."""
    dump = find_binary("pg_dump")
    assert dump is not None
    with temporary_cluster() as cluster:
        with connect(cluster.url()) as server:
            server.execute("CREATE DATABASE released")
        url = cluster.url("released")
        move = [sys.executable, "-m", "newsletter.project.cli", "move", "--to", url]
        subprocess.run(move, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, check=True, timeout=START_SECONDS)
        command = [dump, "--no-owner", "--no-privileges", "--rows-per-insert=100", url]
        dumped = subprocess.run(command, capture_output=True, text=True, check=True, timeout=START_SECONDS).stdout
        (folder / _POSTGRES).write_bytes(_compress(_drop_settings(dumped).encode()))
        return count_rows(url)


def _drop_settings(dump: str) -> str:
    """Drop what is said to psql only, and the settings of a session, some of which an older server does not know."""
    return "SET check_function_bodies = false;\n" + _OF_NEWER_SERVERS.sub("", dump)


def _compress(data: bytes) -> bytes:
    return lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)
