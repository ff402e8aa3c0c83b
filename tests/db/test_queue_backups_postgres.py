"""Backups of an installation whose jobs are in PostgreSQL: the queue's migrations add values to enum types."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.support.migrated_database import SERVER, find_migrated
from tests.support.processes import copy_database, drop_database

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.long,
    pytest.mark.skipif(not SERVER, reason="these tests need PostgreSQL"),
]
COMMANDS = """
import sys, django
from django.core.management import call_command
django.setup()
call_command("migrate", verbosity=0)
call_command("backup", sys.argv[1])
call_command("backup", sys.argv[1], verify=True)
"""
SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'newsletter%'"


@pytest.fixture
def url(tmp_path: Path, shared_folder: Path) -> Iterator[str]:
    url = copy_database(find_migrated(shared_folder), to=tmp_path)
    yield url
    drop_database(url)


def test_a_backup_with_the_job_queue_is_verified(url: str, tmp_path: Path) -> None:
    settings = {
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "newsletter.project.settings",
        "NEWSLETTER_DATA_DIR": str(tmp_path),
        "NEWSLETTER_ENGINE": "procrastinate",
    }
    command = [sys.executable, "-c", COMMANDS, str(tmp_path / "backup.zip")]
    done = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, check=False)
    assert "backup.zip restores: " in done.stdout, done.stderr
    with psycopg.connect(url) as server:
        assert server.execute("SELECT COUNT(*) FROM procrastinate_jobs").fetchone() == (0,)
        assert server.execute(SCHEMAS).fetchall() == []
