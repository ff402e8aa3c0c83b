"""A start that has no migration to run loads none, and leaves the database as a run of all would."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from newsletter.common.database.missing_migrations import list_installed_migrations, list_missing_migrations
from newsletter.management import prepare_database as at_a_start
from newsletter.management.prepare_database import prepare_database

pytestmark = pytest.mark.django_db
MAY_RUN_AGAIN = "FROM django_migrations WHERE app = 'socialaccount' AND name LIKE '0006%'"
PREPARE = """
import sys, django
django.setup()
from newsletter.management.prepare_database import prepare_database
prepare_database()
print(sum(".migrations." in name and "django.db" not in name for name in sys.modules))
"""


def test_all_migrations_are_found_by_their_names() -> None:
    assert list_installed_migrations() == set(MigrationLoader(None).disk_migrations or {})


@pytest.mark.postgres
def test_a_prepared_database_lacks_no_migration() -> None:
    assert list_missing_migrations() == set()


@pytest.mark.postgres
def test_a_migration_that_is_not_recorded_is_missing() -> None:
    _forget_a_migration()
    assert list_missing_migrations() == {("newsletter", "0002_roles_and_staff_log")}


def test_a_start_makes_the_permissions_of_this_version() -> None:
    Permission.objects.filter(codename="change_issue").delete()
    prepare_database()
    assert Permission.objects.filter(codename="change_issue").exists()


def test_a_start_migrates_only_if_a_migration_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []
    monkeypatch.setattr(at_a_start, "call_command", lambda name, **_options: called.append(name))
    prepare_database()
    assert called == []
    _forget_a_migration()
    prepare_database()
    assert called == ["migrate"]


@pytest.mark.long
def test_a_start_loads_migrations_only_if_one_is_missing(tmp_path: Path) -> None:
    assert _prepare(tmp_path) == 0, "the tables are new"
    assert _prepare(tmp_path) == 0
    _change(tmp_path, f"DELETE {MAY_RUN_AGAIN}")
    assert _prepare(tmp_path) > 100
    assert _change(tmp_path, f"SELECT name {MAY_RUN_AGAIN}") != []


def _forget_a_migration() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'newsletter' AND name LIKE '0002%'")


def _change(folder: Path, statement: str) -> list[tuple[str]]:
    with closing(sqlite3.connect(folder / "new.sqlite3", isolation_level=None)) as database:
        return database.execute(statement).fetchall()


def _prepare(folder: Path) -> int:
    """Prepare a database of a process of its own. Return how many modules with migrations it has loaded."""
    settings = {"NEWSLETTER_DATA_DIR": str(folder), "DATABASE_URL": f"sqlite:///{folder / 'new.sqlite3'}"}
    run = subprocess.run(
        [sys.executable, "-c", PREPARE], env={**os.environ, **settings}, capture_output=True, text=True, check=True
    )
    return int(run.stdout)
