"""Backups of an installation whose jobs are in PostgreSQL: the queue's migrations add values to enum types."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from tests.support.migrated_database import SERVER, find_migrated, server_url
from tests.support.postgres import find_binary
from tests.support.processes import copy_database, drop_database

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.long,
    pytest.mark.skipif(not SERVER, reason="these tests need PostgreSQL"),
]
PREPARE = "import sys, django; from django.core.management import call_command; django.setup()"
MIGRATE = f"{PREPARE}; call_command('migrate', verbosity=0)"
BACK_UP = f"{PREPARE}; call_command('backup', sys.argv[1]); call_command('backup', sys.argv[1], verify=True)"
RESTORE = f"{PREPARE}; call_command('restore', sys.argv[1])"
JOBS = """
INSERT INTO procrastinate_workers DEFAULT VALUES;
INSERT INTO procrastinate_jobs (queue_name, task_name, scheduled_at) SELECT 'bulk', 'one', now() FROM generate_series(1, 3);
INSERT INTO procrastinate_periodic_defers (task_name, job_id) VALUES ('one', 2);
UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT max(id) FROM procrastinate_workers) WHERE id < 3;
SELECT procrastinate_finish_job_v1(1, 'succeeded', false);
DELETE FROM procrastinate_jobs WHERE id = 3;
"""
SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'newsletter%'"
QUEUE = ("workers", "jobs", "periodic_defers", "events")


@pytest.fixture
def url(tmp_path: Path, shared_folder: Path) -> Iterator[str]:
    url = copy_database(find_migrated(shared_folder), to=tmp_path)
    yield url
    drop_database(url)


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[str]:
    url = server_url(f"empty_{abs(hash(tmp_path))}")
    with psycopg.connect(SERVER, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(urlsplit(url).path[1:])))
    yield url
    drop_database(url)


def run(code: str, archive: Path, *, url: str) -> str:
    """Run commands in the installation of this database, beside the archive. Return their output."""
    settings = {
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "newsletter.project.settings",
        "NEWSLETTER_ADDRESS_KEY": "an address key of a test, long enough",
        "NEWSLETTER_DATA_DIR": str(archive.parent / urlsplit(url).path[1:]),
        "NEWSLETTER_ENGINE": "procrastinate",
    }
    command = [sys.executable, "-c", code, str(archive)]
    done = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def read_queue(url: str) -> list[list[tuple[object, ...]]]:
    with psycopg.connect(url) as server:
        tables = (sql.Identifier(f"procrastinate_{name}") for name in QUEUE)
        return [server.execute(sql.SQL("SELECT * FROM {} ORDER BY id").format(table)).fetchall() for table in tables]


def dump_schema(url: str) -> list[str]:
    """Return the lines that make the tables, in the words of PostgreSQL."""
    program = find_binary("pg_dump")
    assert program
    command = [program, "--schema-only", "--no-owner", url]
    dumped = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [line for line in dumped.splitlines() if not line.startswith("\\")]  # psql's commands have a random key


def test_waiting_jobs_and_their_events_are_verified_and_restored(url: str, empty: str, tmp_path: Path) -> None:
    """The schema is then the one of the installation, and the next job gets a number of its own."""
    archive = tmp_path / "backup.zip"
    run(MIGRATE, archive, url=url)
    with psycopg.connect(url) as server:
        server.execute(JOBS)
    assert "backup.zip restores: " in run(BACK_UP, archive, url=url)
    with psycopg.connect(url) as server:
        assert server.execute(SCHEMAS).fetchall() == []

    run(RESTORE, archive, url=empty)
    assert read_queue(empty) == read_queue(url)
    assert len(read_queue(empty)[-1]) > 6
    assert dump_schema(empty) == dump_schema(url)
    with psycopg.connect(empty) as server:
        assert server.execute(SCHEMAS).fetchall() == []
        job = "INSERT INTO procrastinate_jobs (queue_name, task_name) VALUES ('bulk', 'one') RETURNING id"
        assert server.execute(job).fetchone() == (4,)
        assert server.execute("SELECT count(*) FROM procrastinate_events WHERE job_id = 4").fetchone() == (1,)
