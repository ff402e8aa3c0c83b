"""A new SQLite database gets its tables at once, and they are those that the migrations make."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from pytest_django import DjangoDbBlocker

from newsletter.common.database.missing_migrations import list_installed_migrations
from newsletter.management.schema_snapshot import SNAPSHOT, load_snapshot
from scripts.schema_snapshot import write_first_line
from tests.support.time_limits import START_SECONDS

MIGRATE = [sys.executable, "-m", "newsletter.project.cli", "migrate"]


def test_the_snapshot_is_of_the_migrations_as_they_are_now() -> None:
    with SNAPSHOT.open(encoding="utf-8") as snapshot:
        assert snapshot.readline() == write_first_line(), "The migrations changed. Run: make schema"


def test_the_snapshot_names_all_migrations(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> None:
    with open_sqlite(tmp_path / "new.sqlite3", django_db_blocker) as database:
        assert load_snapshot(database)
        assert MigrationRecorder(database).applied_migrations().keys() == list_installed_migrations()


@pytest.mark.long
def test_the_snapshot_is_what_the_migrations_make() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "scripts.schema_snapshot", "--print"], capture_output=True, text=True, check=True
    ).stdout
    assert made == SNAPSHOT.read_text(encoding="utf-8"), "The migrations changed. Run: make schema"


@pytest.mark.long
def test_two_processes_prepare_one_new_database_without_a_migration(
    tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    both = [_migrate(tmp_path), _migrate(tmp_path)]
    printed = [process.communicate(timeout=START_SECONDS)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], printed
    for text in printed:
        assert "No migrations to apply." in text
        assert "Applying" not in text
    with open_sqlite(tmp_path / "new.sqlite3", django_db_blocker) as database:
        executor = MigrationExecutor(database)
        assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []


def test_a_database_with_tables_is_left_to_the_migrations(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> None:
    with open_sqlite(tmp_path / "old.sqlite3", django_db_blocker) as database:
        with database.cursor() as cursor:
            cursor.execute("CREATE TABLE theirs (id integer)")
        assert not load_snapshot(database)
        assert database.introspection.table_names() == ["theirs"]


def test_libraries_without_a_migration_of_the_snapshot_change_nothing(
    tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    snapshot = tmp_path / "snapshot.sql"
    of_another_version = (
        "INSERT INTO django_migrations VALUES (9999, 'wagtailcore', '9999_later', CURRENT_TIMESTAMP);\n"
    )
    snapshot.write_text(SNAPSHOT.read_text(encoding="utf-8") + of_another_version, encoding="utf-8")
    with open_sqlite(tmp_path / "new.sqlite3", django_db_blocker) as database:
        assert not load_snapshot(database, snapshot=snapshot)
        assert database.introspection.table_names() == []


def test_each_installation_gets_page_keys_and_dates_of_its_own(
    tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    keys = []
    for name in ("one", "two"):
        with open_sqlite(tmp_path / f"{name}.sqlite3", django_db_blocker) as database:
            assert load_snapshot(database)
            with database.cursor() as cursor:
                cursor.execute("SELECT translation_key FROM wagtailcore_page")
                keys += [key for (key,) in cursor.fetchall()]
            applied = MigrationRecorder(database).applied_migrations()
            assert all(migration.applied for migration in applied.values())
    assert len(set(keys)) == len(keys) == 4


def _migrate(folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        MIGRATE,
        env={**os.environ, "DATABASE_URL": f"sqlite:///{folder / 'new.sqlite3'}", "NEWSLETTER_DATA_DIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextmanager
def open_sqlite(file: Path, blocker: DjangoDbBlocker) -> Iterator[BaseDatabaseWrapper]:
    """Connect to a file of its own, under a name that only this test uses."""
    connections.databases["of_its_own"] = {**connections.databases["default"], "NAME": str(file)}
    connections.databases["of_its_own"]["ENGINE"] = "django.db.backends.sqlite3"
    try:
        with blocker.unblock():
            yield connections["of_its_own"]
    finally:
        connections["of_its_own"].close()
        del connections["of_its_own"], connections.databases["of_its_own"]
